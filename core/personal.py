"""What is kept about a person, table by table. A test holds this to the tables that there are."""

# Who it is on a platform stands in the first two alone; everywhere else somebody is a random id.
KEPT = {
    "identity": "platform, team and user id, beside a random id",
    "address": "how to write to them in private, where the platform needs that",
    "person": "role, audiences, level, language, whether to be left alone; of coaches their name and hours",
    "event": "messages to the bot without recognisable customer data; the last day of them helps to read follow-ups",
    "answer": "questions without recognisable customer data, and what was answered",
    "feedback": "what they said of an answer",
    "kept": "answers that they put aside",
    "request": "questions that wait for a coach; coaches never see whose",
    "checkup": "when they were asked whether an answer helped",
    "call": "of coaches: which questions with a customer on the line they were called about",
    "version": "of coaches: which versions of articles are theirs",
    "question": "of coaches: which questions they took",
    "verdict": "of coaches: which answers they said were right or wrong",
    "draft": "of coaches: what they filled in and did not save",
    "proposal": "of coaches: changes of safety articles that wait for a second coach",
    "notice": "of coaches: who put a notice up",
    "announcement": "of coaches: who announced a change",
    "receipt": "whether they read an announced change; coaches see counts of five people or more",
    "notification": "what they were told unasked, by kind and number",
    "tip": "tips they gave; their name only where they wanted that",
    "refusal": "what they tried without being allowed to",
    "seen": "which articles they saw, for ninety days: only of who switched their own history on, and only for them",
}
