"""The tables, as numbered steps. A step is never edited once released; a change is a new step."""

from pathlib import Path

from sqlite_utils import Database, Migrations

from core.errors import StoreError

MIGRATIONS = Migrations("bijdehand")


@MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Everything the first version keeps."""
    db.executescript("""
        create table article (
            id text primary key,
            document text not null, -- the whole article as JSON; the other columns are for queries
            language text not null,
            status text not null,
            critical integer not null,
            translation_of text not null,
            version integer not null,
            hash text not null, -- of all but the version, passages included
            updated_at text not null
        ) strict;

        create table passage (
            article_id text not null references article on delete cascade,
            n integer not null, -- 0 is the whole article, 1 its first passage
            text text not null,
            hash text not null,
            primary key (article_id, n)
        ) strict;
        create index passage_hash on passage (hash);

        create table vector (
            hash text not null,
            model text not null,
            data blob not null, -- float32
            unique (hash, model)
        ) strict;

        create table change (
            seq integer primary key autoincrement,
            article_id text not null, -- no reference: it outlives the article
            what text not null check (what in ('saved', 'embedded', 'deleted')),
            at text not null
        ) strict;

        create table person (
            id text primary key, -- random
            role text not null,
            audience text not null, -- a JSON list
            level text not null,
            language text,
            created text not null
        ) strict;

        -- The only table that knows who somebody is on a platform.
        create table identity (
            surface text not null,
            team text not null,
            user text not null,
            person_id text not null references person on delete cascade,
            primary key (surface, team, user)
        ) strict;
        create index identity_person on identity (person_id);

        create table event (
            id integer primary key,
            surface text not null,
            team text not null,
            place text not null,
            message_id text not null,
            person_id text references person on delete set null,
            text text not null, -- scrubbed
            address text, -- JSON, until it is done
            direct integer not null,
            locale text not null,
            state text not null default 'received' check (state in ('received', 'done')),
            leased_until text,
            received_at text not null,
            unique (surface, team, place, message_id)
        ) strict;
        create index event_undone on event (surface, received_at) where state = 'received';
        create index event_person on event (person_id);

        create table answer (
            id text primary key,
            document text not null, -- the whole answer as JSON; the other columns are for counting
            person_id text references person on delete set null,
            surface text not null,
            outcome text not null,
            moment text,
            confidence real not null,
            article_id text,
            article_version integer,
            language text not null,
            created text not null
        ) strict;
        create index answer_created on answer (created);
        create index answer_person on answer (person_id);

        create table outbox (
            id integer primary key,
            event_id integer unique references event on delete set null, -- no event is answered twice
            surface text not null,
            address text, -- JSON, until it is sent
            answer_id text not null references answer on delete cascade,
            created text not null,
            leased_until text,
            attempts integer not null default 0,
            last_error text not null default '',
            sent text
        ) strict;
        create index outbox_unsent on outbox (surface, created) where sent is null;
        create index outbox_answer on outbox (answer_id);

        create table feedback (
            answer_id text not null references answer on delete cascade,
            person_id text not null references person on delete cascade,
            helpful integer,
            reason text not null,
            moment text,
            note text not null,
            at text not null,
            primary key (answer_id, person_id)
        ) strict;
        create index feedback_person on feedback (person_id);
    """)


@MIGRATIONS()
def m002_conversations(db: Database) -> None:
    """Conversations and places, what is kept for later or for a coach, and teams that come and go."""
    db.executescript("""
        alter table event add column thread text not null default '';
        alter table event add column addressed integer not null default 1;
        alter table event add column attachment text;
        create index event_conversation on event (surface, team, place, thread, received_at);

        alter table outbox add column message_id text not null default ''; -- of our reply, on the platform
        create index outbox_message on outbox (message_id) where message_id <> '';

        alter table person add column quiet integer not null default 0; -- not to be asked whether it helped

        -- Until now everybody was known in one team, so theirs is that of their answers.
        alter table answer add column team text not null default '';
        update answer set team = coalesce(
            (select event.team from outbox join event on event.id = event_id where answer_id = answer.id),
            (select min(team) from identity where person_id = answer.person_id and surface = answer.surface),
            ''
        );

        create table place (
            surface text not null,
            team text not null,
            id text not null,
            listens integer not null,
            primary key (surface, team, id)
        ) strict;

        create table kept (
            answer_id text not null references answer on delete cascade,
            person_id text not null references person on delete cascade,
            at text not null,
            primary key (answer_id, person_id)
        ) strict;
        create index kept_person on kept (person_id, at);

        create table request (
            id integer primary key autoincrement, -- it stands in buttons: never given out twice
            answer_id text not null references answer on delete cascade,
            person_id text not null references person on delete cascade,
            state text not null default 'open',
            at text not null,
            unique (answer_id, person_id)
        ) strict;
        create index request_person on request (person_id);

        create table checkup (
            person_id text not null references person on delete cascade,
            answer_id text references answer on delete set null, -- withdrawn: we still asked
            at text not null
        ) strict;
        create index checkup_person on checkup (person_id, at);
        create index checkup_answer on checkup (answer_id);

        create table installation (
            surface text not null,
            enterprise text not null,
            team text not null,
            secret blob not null, -- encrypted
            at text not null,
            primary key (surface, enterprise, team)
        ) strict;

        create table state (
            word text primary key, -- given out for one installation, good once
            until text not null
        ) strict;
    """)


@MIGRATIONS()
def m003_replies(db: Database) -> None:
    """Which answer a message of ours shows, and how to write to people in private."""
    db.executescript("""
        -- Where that is another than was delivered in it, or nothing was.
        create table reply (
            surface text not null,
            team text not null,
            place text not null,
            message_id text not null, -- of ours, on the platform
            answer_id text not null references answer on delete cascade,
            at text not null,
            primary key (surface, team, place, message_id)
        ) strict;
        create index reply_answer on reply (answer_id);
        create index reply_conversation on reply (surface, team, place, at);

        -- Beside `identity` the only table that knows who somebody is on a platform.
        create table address (
            surface text not null,
            team text not null,
            user text not null,
            document text not null, -- JSON
            primary key (surface, team, user),
            foreign key (surface, team, user) references identity on delete cascade
        ) strict;
    """)


@MIGRATIONS()
def m004_amounts(db: Database) -> None:
    """What articles name as {{voorrijkosten}}."""
    db.executescript("""
        create table amount (
            name text primary key,
            document text not null -- JSON: the amount by language
        ) strict;
    """)


@MIGRATIONS()
def m005_coaching(db: Database) -> None:
    """Open questions, what became of articles, and what people must be told."""
    db.executescript("""
        -- What several people asked is one. It has no text of its own: that of its requests, while these are there.
        create table question (
            id integer primary key autoincrement,
            state text not null default 'open' check (state in ('open', 'taken', 'answered', 'declined')),
            coach_id text references person on delete set null,
            article_id text, -- that answers it
            note text not null default '', -- why it was declined
            created text not null,
            changed text not null
        ) strict;
        create index question_state on question (state);

        alter table request add column why text not null default 'coach';
        alter table request add column question_id integer references question on delete set null;
        create index request_question on request (question_id);

        -- Which coach was called about a question with a customer on the line.
        create table call (
            question_id integer not null references question on delete cascade,
            person_id text not null references person on delete cascade,
            at text not null,
            primary key (question_id, person_id)
        ) strict;
        create index call_person on call (person_id);

        create table version (
            article_id text not null, -- no reference: it outlives the article
            version integer not null,
            document text not null,
            what text not null, -- imported, added, edited, verified, retired, restored, changed
            person_id text references person on delete set null,
            at text not null,
            primary key (article_id, version)
        ) strict;
        create index version_person on version (person_id);
        insert into version select id, version, document, 'imported', null, updated_at from article;

        -- What its file held when it was last read or written; an article that was made in the chat has none.
        create table synced (
            article_id text primary key references article on delete cascade,
            document text not null
        ) strict;
        insert into synced select id, document from article;

        create table draft (
            id text primary key,
            person_id text not null references person on delete cascade,
            kind text not null,
            about text not null,
            document text not null, -- JSON: what was filled in
            at text not null,
            unique (person_id, kind, about)
        ) strict;

        -- A change of a critical article that waits for a second coach.
        create table proposal (
            id integer primary key autoincrement,
            article_id text not null,
            document text not null,
            what text not null,
            state text not null default 'open' check (state in ('open', 'agreed', 'refused')),
            person_id text references person on delete set null,
            at text not null
        ) strict;
        create index proposal_person on proposal (person_id);

        create table notice (
            id integer primary key autoincrement,
            text text not null,
            topic text not null, -- empty: on every answer
            until text not null,
            person_id text references person on delete set null,
            at text not null
        ) strict;
        create index notice_until on notice (until);
        create index notice_person on notice (person_id);

        create table announcement (
            id integer primary key autoincrement,
            article_id text not null,
            since text not null,
            loudness text not null,
            audience text not null, -- a JSON list; empty: everybody
            person_id text references person on delete set null,
            at text not null
        ) strict;
        create index announcement_person on announcement (person_id);

        create table receipt (
            announcement_id integer not null references announcement on delete cascade,
            person_id text not null references person on delete cascade,
            said text not null default '' check (said in ('', 'read', 'question')),
            reminded text,
            at text not null,
            primary key (announcement_id, person_id)
        ) strict;
        create index receipt_person on receipt (person_id);

        create table notification (
            id integer primary key autoincrement,
            person_id text not null references person on delete cascade,
            kind text not null,
            about text not null,
            created text not null,
            leased_until text,
            attempts integer not null default 0,
            sent text,
            unique (person_id, kind, about) -- nobody is told the same twice
        ) strict;
        create index notification_unsent on notification (created) where sent is null;

        -- What somebody tried who may not.
        create table refusal (
            id integer primary key autoincrement,
            person_id text not null references person on delete cascade,
            what text not null,
            about text not null,
            at text not null
        ) strict;
        create index refusal_person on refusal (person_id);

        create table tip (
            id integer primary key autoincrement,
            article_id text not null,
            text text not null,
            person_id text references person on delete set null,
            name text not null, -- empty: a colleague
            state text not null default 'open' check (state in ('open', 'shown', 'refused')),
            at text not null
        ) strict;
        create index tip_article on tip (article_id);
        create index tip_person on tip (person_id);

        -- Of coaches only, since they sign what they write; and when they are there to be called.
        alter table person add column name text not null default '';
        alter table person add column hours text not null default '';

        -- Somebody's own history, which is off until they want it.
        alter table person add column history integer not null default 0;
        create table seen (
            person_id text not null references person on delete cascade,
            article_id text not null,
            at text not null,
            primary key (person_id, article_id)
        ) strict;
    """)


@MIGRATIONS()
def m006_pieces(db: Database) -> None:
    """Passages are compared piece by piece as well."""
    db.executescript("""
        alter table vector add column piece_ids blob; -- int32, none for an article as a whole
        alter table vector add column piece_vectors blob; -- int8
    """)


@MIGRATIONS()
def m007_learning(db: Database) -> None:
    """What words mean, which answers coaches found right, and how sure that makes us."""
    db.executescript("""
        create table term (
            said text not null,
            language text not null,
            official text not null,
            kind text not null,
            primary key (said, language)
        ) strict;

        create table verdict (
            answer_id text primary key references answer on delete cascade,
            verdict text not null check (verdict in ('right', 'wrong', 'nothing')),
            person_id text references person on delete set null,
            at text not null
        ) strict;
        create index verdict_person on verdict (person_id);

        create table calibration (
            model text primary key,
            document text not null, -- JSON
            at text not null
        ) strict;
    """)


@MIGRATIONS()
def m008_wordings(db: Database) -> None:
    """Which questions that helped a coach has looked at."""
    db.executescript("""
        create table wording (
            answer_id text primary key references answer on delete cascade,
            at text not null
        ) strict;
    """)


def applied(db: Database) -> list[str]:
    """Name the steps this database has had, in order."""
    return [step.name for step in MIGRATIONS.applied(db)]


def is_current(db: Database, path: Path) -> bool:
    """Whether every step is applied; refuse what a newer version or another program made."""
    done = applied(db)
    newer = [name for name in done if name not in globals()]  # a step we know is a function of this module
    if newer:
        raise StoreError(
            f"The database {path} was made by a newer bijdehand (it has had {newer[-1]}). "
            "Upgrade bijdehand, or put a backup from before that in its place."
        )
    if not done and db.table_names():
        raise StoreError(f"The database {path} belongs to another program. Choose another file for bijdehand.")
    return not MIGRATIONS.pending(db)
