"""PostgREST behind Supabase's gateway, over a real PostgreSQL, as far as it is used: reading, changing, and how it says no."""

import base64
import hashlib
import hmac
import json
import re
import time
from urllib.parse import parse_qsl

import psycopg2
from psycopg2 import sql

from common import Answer, StandIn

SECRET_KEY = "sb_secret_of-the-tests"
WORDS = {"select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not.and", "not.or"}
OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
PREFERENCES = {
    "return": {"minimal", "representation", "headers-only"}, "handling": {"strict", "lenient"},
    "count": {"exact", "planned", "estimated"}, "tx": {"commit", "rollback"}}
SCHEMAS = ["public", "hosting"]
ROLES = """
    CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS;
    CREATE SCHEMA hosting; GRANT USAGE ON SCHEMA hosting TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role;
"""


def error(status, code, message, details=None, hint=None):
    return Answer(status, {"code": code, "details": details, "hint": hint, "message": message})


def status_of(code, is_anonymous):
    exact = {
        "23503": 409, "23505": 409, "25006": 405, "42883": 404, "42P01": 404, "42P17": 500, "P0001": 400, "57014": 500}
    if code in exact:
        return exact[code]
    if code == "42501":
        return 401 if is_anonymous else 403
    if code == "53400" or code[:2] in ("54", "55", "57", "58", "XX", "40", "P0"):
        return 500
    if code[:2] in ("08", "53"):
        return 503
    return 403 if code[:2] in ("28", "0P", "0L") else 400


class PostgREST(StandIn):
    name = "supabase"

    def __init__(self, world, database):
        super().__init__(world)
        self.database = database
        self.secret = b"at least thirty-two characters of it"
        self.max_rows, self.statement_timeout = 1000, 0
        # What a test sets: an API from before 12.2, a gateway that loses queries, one that says nothing with its 401.
        self.knows_max_affected, self.loses_query, self.is_mute = True, False, False
        self.cache = {}
        self.run(ROLES)
        self.reload()

    def internal_error(self):
        return Answer(502, {"message": "An invalid response was received from the upstream server"})

    def throttled(self, fault):
        return Answer(429, {"message": "Too many requests"}, {"Retry-After": str(fault.get("seconds", 1))})

    # The database, as its owner sees it

    def run(self, text):
        connection = self.database.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text)
        finally:
            connection.close()

    def ask(self, query, values=()):
        connection = self.database.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def reload(self):
        """The schema cache: what is made afterwards is not known."""
        self.cache = {}
        rows = self.ask(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema = ANY(%s)",
            (SCHEMAS,))
        for schema, table, column in rows:
            self.cache.setdefault((schema, table), set()).add(column)

    def state(self):
        tables = {}
        for schema, table in self.cache:
            query = sql.SQL("SELECT coalesce(json_agg(t), '[]') FROM {} t").format(sql.Identifier(schema, table))
            tables[table] = self.ask(query)[0][0]
        later = int(time.time()) + 3600
        keys = {role: self.token({"role": role, "exp": later}) for role in ("service_role", "authenticated", "anon")}
        keys["expired"] = self.token({"role": "service_role", "exp": 1_700_000_000})
        keys["forged"] = keys["service_role"].rsplit(".", 1)[0] + ".AAAA"
        return {"tables": tables, "keys": keys}

    def configure(self, change):
        if "sql" in change:
            self.run(change["sql"])
        for name in ("max_rows", "statement_timeout", "knows_max_affected", "loses_query", "is_mute"):
            if name in change:
                setattr(self, name, change[name])
        if not change.get("stale"):
            self.reload()

    # Keys

    def token(self, claims):
        def part(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")

        body = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
        return (body + b"." + part(hmac.new(self.secret, body, hashlib.sha256).digest())).decode()

    def role(self, request):
        key, bearer = request.headers.get("apikey"), request.headers.get("authorization")
        if SECRET_KEY in request.path + request.raw_query or key and key in request.raw_query:
            self.violation("a secret in a URL")
        if not key:
            raise Answer(401, {"message": "No API key found in request"})
        if key.startswith("sb_"):
            if key != SECRET_KEY or "Mozilla" in request.headers.get("user-agent", ""):
                raise Answer(401, "" if self.is_mute else {"message": "Invalid API key"})
            if bearer is not None:
                self.violation("a secret key as a bearer, which is for JWTs")
                raise error(401, "PGRST301", "Expected 3 parts in JWT; got 1")
            return "service_role"
        if key.count(".") != 2 or bearer != f"Bearer {key}":
            if key.count(".") == 2:
                self.violation("a JWT without being the bearer too")
            raise Answer(401, {"message": "Invalid API key"})
        claims = json.loads(base64.urlsafe_b64decode(key.split(".")[1] + "=="))
        if not hmac.compare_digest(self.token(claims).split(".")[2], key.split(".")[2]):
            raise error(401, "PGRST301", "No suitable key or wrong key type")
        if claims.get("exp", time.time()) < time.time() - 30:
            raise error(401, "PGRST303", "JWT expired")
        return claims.get("role", "anon")

    # Requests

    def handle(self, request):
        if not request.path.startswith("/rest/v1/"):
            raise Answer(404, {"message": "no Route matched with those values"})
        if re.search(r"[^\x21-\x7e]|[<>\"{}|\\^`]", request.raw_query):
            self.violation("a query that is not encoded")
        role = self.role(request)
        changes = request.method in ("PATCH", "POST", "PUT", "DELETE")
        schema = request.headers.get("content-profile" if changes else "accept-profile", SCHEMAS[0])
        if schema not in SCHEMAS:
            raise error(406, "PGRST106", f"Invalid schema: {schema}", hint=f"Only the following are exposed: {SCHEMAS}")
        table = request.path[len("/rest/v1/"):]
        if not table:
            shown = {name: {"type": "object"} for place, name in self.cache if place == schema and role != "anon"}
            return Answer(200, {"swagger": "2.0", "definitions": shown, "paths": {}})
        if (schema, table) not in self.cache:
            message = f"Could not find the table '{schema}.{table}' in the schema cache"
            raise error(404, "PGRST205", message)
        query = [] if self.loses_query else parse_qsl(request.raw_query, keep_blank_values=True)
        if request.method == "GET":
            return self.perform_as(role, self.read, schema, table, query)
        if request.method == "PATCH":
            return self.perform_as(role, self.change, schema, table, query, request)
        self.violation(f"{request.method}, which nobody needs")
        raise error(405, "PGRST117", f"Unsupported HTTP method: {request.method}")

    def perform_as(self, role, work, *words):
        connection = self.database.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", (str(self.statement_timeout),))
                cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                return work(cursor, *words)
        except psycopg2.Error as problem:
            code, diagnosis = problem.pgcode or "08006", problem.diag
            message = diagnosis.message_primary or "the connection to the database broke"
            raise error(status_of(code, role == "anon"), code, message, diagnosis.message_detail, diagnosis.message_hint)
        finally:
            connection.close()

    def conditions(self, table, query):
        """Of what is no word of the query: every other name is a column's."""
        parts, values = [], []
        for name, value in query:
            if name in WORDS:
                continue
            match = re.fullmatch(r"(eq|neq|gt|gte|lt|lte|is)\.(.*)", value, re.S)
            if not match:
                raise error(400, "PGRST100", f'"failed to parse filter ({value})"')
            if match[1] == "is":
                if match[2] not in ("null", "true", "false", "unknown", "not_null"):
                    raise error(400, "PGRST100", f'"failed to parse filter ({value})"')
                words = match[2].replace("not_null", "not null")
                parts.append(sql.SQL("{} IS " + words).format(sql.Identifier(table, name)))
                continue
            parts.append(sql.SQL("{} " + OPERATORS[match[1]] + " %s").format(sql.Identifier(table, name)))
            values.append(match[2])
        return (sql.SQL(" WHERE ") + sql.SQL(" AND ").join(parts) if parts else sql.SQL("")), values

    @staticmethod
    def columns(table, query):
        words = dict(query).get("select", "*").split(",")
        if words == ["*"]:
            return sql.SQL("{}.*").format(sql.Identifier(table))
        for word in words:
            if not re.fullmatch(r"\w+", word):
                raise error(400, "PGRST100", f'"failed to parse select parameter ({word})"')
        return sql.SQL(", ").join(sql.Identifier(table, word) for word in words)

    def read(self, cursor, schema, table, query):
        words = dict(query)
        where, values = self.conditions(table, query)
        text = sql.SQL("SELECT {} FROM {}").format(self.columns(table, query), sql.Identifier(schema, table)) + where
        if "order" in words:
            match = re.fullmatch(r"(\w+)(\.asc|\.desc)?", words["order"])
            if not match:
                raise error(400, "PGRST100", f'"failed to parse order ({words["order"]})"')
            text += sql.SQL(" ORDER BY {}" + (match[2] or "").replace(".", " ")).format(sql.Identifier(table, match[1]))
        limit = min(int(words.get("limit", self.max_rows)), self.max_rows)
        text += sql.SQL(" LIMIT %s OFFSET %s")
        text = sql.SQL("SELECT coalesce(json_agg(r), '[]')::text FROM ({}) r").format(text)
        cursor.execute(text, values + [limit, int(words.get("offset", 0))])
        return self.answer_with(200, cursor.fetchone()[0])

    @staticmethod
    def answer_with(status, text, headers=None):
        count = len(json.loads(text))
        return Answer(status, text, {"Content-Range": f"0-{count - 1}/*" if count else "*/*", **(headers or {})})

    def preferences(self, request):
        given, applied, unknown = {}, [], []
        for word in re.split(r",\s*", request.headers.get("prefer", "")):
            name, _, value = word.partition("=")
            if name == "max-affected":
                if self.knows_max_affected:
                    given[name] = int(value)
            elif value in PREFERENCES.get(name, ()):
                given[name] = value
                applied.append(word)
            elif word:
                unknown.append(word)
        if given.get("handling") == "strict" and unknown:
            raise error(400, "PGRST122", f"Invalid preferences given with handling=strict", ", ".join(unknown))
        if given.get("handling") == "strict" and "max-affected" in given:
            applied.append(f"max-affected={given['max-affected']}")
        return given, {"Preference-Applied": ", ".join(applied)}

    def change(self, cursor, schema, table, query, request):
        fields = request.json()
        if request.headers.get("content-type") != "application/json" or not isinstance(fields, dict):
            self.violation("a change whose body is no object, or without its type")
            raise error(400, "PGRST102", "Empty or invalid json")
        given, applied = self.preferences(request)
        where, values = self.conditions(table, query)
        if not any(name == "id" or name == "key" for name, value in query if value.startswith("eq.")):
            self.violation("a change of more than one row")
        if given.get("handling") != "strict" or self.knows_max_affected and given.get("max-affected") != 1:
            self.violation("a change without a bound")
        for name in fields:
            if name not in self.cache[schema, table]:
                message = f"Could not find the '{name}' column of '{table}' in the schema cache"
                raise error(400, "PGRST204", message)
        place = sql.Identifier(schema, table)
        sets = sql.SQL(", ").join(sql.SQL("{0} = b.{0}").format(sql.Identifier(name)) for name in fields)
        text = sql.SQL("UPDATE {} SET {} FROM json_populate_record(NULL::{}, %s) b").format(place, sets, place) + where
        text += sql.SQL(" RETURNING ") + self.columns(table, query)
        text = sql.SQL("WITH c AS ({}) SELECT coalesce(json_agg(c), '[]')::text FROM c").format(text)
        cursor.execute(text, [json.dumps(fields)] + values)
        rows = cursor.fetchone()[0]
        if given.get("handling") == "strict" and len(json.loads(rows)) > given.get("max-affected", 1 << 30):
            raise error(400, "PGRST124", "Query result exceeds max-affected preference constraint")
        if given.get("return") == "representation":
            return self.answer_with(200, rows, applied)
        answer = self.answer_with(204, rows, applied)
        answer.body = ""
        return answer
