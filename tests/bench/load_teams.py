"""How much one process handles in Teams: activities without the model, and questions with it; the starter knowledge.

`python tests/bench/load_teams.py --rate 50` tries one rate; `--search` finds the highest at which 99 of 100 requests
are answered within half a second and every reply arrives; `--only activities` or `--only questions` tries one of them.
All on loopback: Teams, the bot and the people are a process each, and every token is checked as in earnest.
"""

from dataclasses import replace

from measuring import HERE, Trial, run

QUESTIONS = Trial(
    "Teams: questions with the model, half of them in channels",
    platform="Teams",
    path="/api/messages",
    api="teams_api.py",
    people=["teams_people.py"],
    settings=lambda teams: {"BENCH_KEYS_URL": f"{teams}/openid"},
    bot=[str(HERE / "teams_bot.py")],
)
ACTIVITIES = replace(
    QUESTIONS,
    asked="Teams: 40 % taps, 10 % commands and 50 % questions on the whole bot, but words are hashed, not embedded",
    people=["teams_people.py", "everything"],
    settings=lambda teams: QUESTIONS.settings(teams) | {"BENCH_WITHOUT_MODEL": "1"},
)

if __name__ == "__main__":
    run(__doc__, {"activities": ACTIVITIES, "questions": QUESTIONS})
