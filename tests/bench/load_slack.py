"""How many questions a second one process answers in Slack, with the real model and the starter knowledge.

`python tests/bench/load_slack.py --rate 20` tries one rate; `--search` finds the highest at which 99 of 100 acks come
within half a second and every reply arrives. All on loopback: Slack, the bot and the people are a process each.
"""

from measuring import Trial, run

TRIAL = Trial(
    "Slack: questions with the model",
    platform="Slack",
    path="/slack/events",
    api="slack_api.py",
    people=["slack_people.py"],
    settings=lambda slack: {
        "SLACK_API_URL": f"{slack}/api/",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "a-signing-secret",  # that of fake_slack.py
    },
)

if __name__ == "__main__":
    run(__doc__, {"questions": TRIAL})
