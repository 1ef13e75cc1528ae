package io.evento.scenario;

import io.evento.protocol.ErrorCode;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A wrong request and what the contract says to it.
 *
 * @param headers names and values in turn
 * @param pointer of the first broken rule, empty where none is told
 */
record Wrong(
    String what,
    String method,
    String path,
    String body,
    List<String> headers,
    ErrorCode code,
    String pointer) {

  static Wrong post(
      String what, String path, String body, ErrorCode code, String pointer, String... headers) {
    return new Wrong(what, "POST", path, body, List.of(headers), code, pointer);
  }

  static Wrong get(String what, String path, ErrorCode code, String pointer, String... headers) {
    return new Wrong(what, "GET", path, "", List.of(headers), code, pointer);
  }

  boolean isCommand() {
    return path.startsWith("commands/") && method.equals("POST");
  }

  @Override
  public String toString() {
    return what;
  }

  /** Every way to be wrong over HTTP that the contract names. */
  static Stream<Wrong> requests(String account) {
    var invalid = ErrorCode.INVALID_REQUEST;
    var good = "{\"accountId\":\"%s\",\"amount\":1,\"reference\":\"r\"}".formatted(account);
    var deposit = "commands/Deposit";
    return Stream.of(
        // bodies
        Wrong.post("an empty body", deposit, "", invalid, ""),
        Wrong.post("half of a JSON object", deposit, "{\"accountId\":", invalid, ""),
        Wrong.post("no JSON at all", deposit, "hello", invalid, ""),
        Wrong.post("a JSON list", deposit, "[1]", invalid, ""),
        Wrong.post("a JSON null", deposit, "null", invalid, ""),
        Wrong.post("two JSON objects", deposit, good + good, invalid, ""),
        Wrong.post(
            "a property twice", deposit, good.replace("}", ",\"amount\":2}"), invalid, "/amount"),
        Wrong.post(
            "no aggregate id",
            deposit,
            "{\"amount\":1,\"reference\":\"r\"}",
            invalid,
            "/accountId"),
        Wrong.post(
            "a number as aggregate id",
            deposit,
            good.replace('"' + account + '"', "7"),
            invalid,
            "/accountId"),
        Wrong.post(
            "an empty aggregate id", deposit, good.replace(account, ""), invalid, "/accountId"),
        Wrong.post(
            "an aggregate id of 201 characters",
            deposit,
            good.replace(account, "a".repeat(201)),
            invalid,
            "/accountId"),
        Wrong.post(
            "a control character in the aggregate id",
            deposit,
            good.replace(account, "a\\u0000b"),
            invalid,
            "/accountId"),
        Wrong.post(
            "half a character in the aggregate id",
            deposit,
            good.replace(account, "a\\ud800b"),
            invalid,
            "/accountId"),
        Wrong.post(
            "a text as amount", deposit, good.replace(":1,", ":\"much\","), invalid, "/amount"),
        Wrong.post(
            "an amount beyond 64 bits",
            deposit,
            good.replace(":1,", ":99999999999999999999,"),
            invalid,
            "/amount"),
        Wrong.post(
            "an amount that breaks the record's own rule",
            deposit,
            good.replace(":1,", ":0,"),
            invalid,
            ""),
        Wrong.post(
            "a missing field", deposit, good.replace(",\"reference\":\"r\"", ""), invalid, ""),
        Wrong.post(
            "objects in objects a thousand deep",
            deposit,
            "{\"a\":".repeat(1_000) + "1" + "}".repeat(1_000),
            invalid,
            ""),
        Wrong.post(
            "a payload above the limit",
            deposit,
            good.replace("\"r\"", '"' + Problems.TOO_BIG + '"'),
            ErrorCode.PAYLOAD_TOO_LARGE,
            ""),
        Wrong.post(
            "a query above the limit",
            "queries/FindAccount",
            "{\"accountId\":\"" + Problems.TOO_BIG + "\"}",
            ErrorCode.PAYLOAD_TOO_LARGE,
            ""),
        Wrong.post("an empty query", "queries/FindAccount", "", invalid, ""),
        Wrong.post("a query that is no object", "queries/Totals", "7", invalid, ""),
        Wrong.post(
            "a query that breaks a rule",
            "queries/ListAccounts",
            "{\"limit\":0,\"after\":\"\"}",
            invalid,
            ""),
        // types
        Wrong.post(
            "a command that nobody declared",
            "commands/Nonsense",
            "{}",
            ErrorCode.UNKNOWN_TYPE,
            ""),
        Wrong.post(
            "a query that nobody declared", "queries/Nonsense", "{}", ErrorCode.UNKNOWN_TYPE, ""),
        Wrong.post(
            "an event sent as a command",
            "commands/MoneyDeposited",
            "{}",
            ErrorCode.UNKNOWN_TYPE,
            ""),
        Wrong.post("a type that is no name", "commands/1x", "{}", invalid, "type"),
        Wrong.post(
            "a type of 101 characters", "commands/" + "A".repeat(101), "{}", invalid, "type"),
        Wrong.post("a query type that is no name", "queries/a%20b", "{}", invalid, "type"),
        // headers
        Wrong.post(
            "an id that is no UUID",
            deposit,
            good,
            invalid,
            "Idempotency-Key",
            "Idempotency-Key",
            "7"),
        Wrong.post(
            "an id with something after it",
            deposit,
            good,
            invalid,
            "Idempotency-Key",
            "Idempotency-Key",
            UUID.randomUUID() + "0"),
        Wrong.post("a deadline of 0 s", deposit, good, invalid, "Prefer", "Prefer", "wait=0"),
        Wrong.post("a deadline of 61 s", deposit, good, invalid, "Prefer", "Prefer", "wait=61"),
        Wrong.post("a deadline in words", deposit, good, invalid, "Prefer", "Prefer", "wait=soon"),
        Wrong.post(
            "a version in words", deposit, good, invalid, "If-Match", "If-Match", "\"three\""),
        Wrong.post("a version below 0", deposit, good, invalid, "If-Match", "If-Match", "\"-1\""),
        Wrong.post(
            "a version for a service",
            "commands/FailService",
            "{\"message\":\"m\"}",
            invalid,
            "If-Match",
            "If-Match",
            "\"1\""),
        Wrong.post(
            "metadata that is no JSON",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "{"),
        Wrong.post(
            "metadata that is a list",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "[1]"),
        Wrong.post(
            "metadata that smuggles a property",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "{},\"x\":{}"),
        Wrong.post(
            "a body that is no JSON by its type",
            deposit,
            good,
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "",
            "Content-Type",
            "text/plain"),
        Wrong.post(
            "an answer in HTML",
            deposit,
            good,
            ErrorCode.NOT_ACCEPTABLE,
            "",
            "Accept",
            "text/html"),
        Wrong.get("events in HTML", "events", ErrorCode.NOT_ACCEPTABLE, "", "Accept", "text/html"),
        // paths and methods
        Wrong.get("a path that is none", "nonsense", ErrorCode.NOT_FOUND, ""),
        Wrong.get("a path below one that is", "events/7", ErrorCode.NOT_FOUND, ""),
        Wrong.get("a setting that is none", "settings/nonsense", ErrorCode.NOT_FOUND, ""),
        Wrong.get("commands cannot be read", deposit, ErrorCode.METHOD_NOT_ALLOWED, ""),
        new Wrong(
            "events cannot be deleted",
            "DELETE",
            "events",
            "",
            List.of(),
            ErrorCode.METHOD_NOT_ALLOWED,
            ""),
        new Wrong(
            "a stream cannot be written",
            "PUT",
            "streams/Account/x",
            "{}",
            List.of(),
            ErrorCode.METHOD_NOT_ALLOWED,
            ""),
        new Wrong(
            "a setting without a value",
            "PUT",
            "settings/payload.bytes-max",
            "{}",
            List.of(),
            invalid,
            "/value"),
        new Wrong(
            "a setting out of its range",
            "PUT",
            "settings/payload.bytes-max",
            "{\"value\":1}",
            List.of(),
            invalid,
            "/value"),
        new Wrong(
            "a setting in words",
            "PUT",
            "settings/payload.bytes-max",
            "{\"value\":\"big\"}",
            List.of(),
            invalid,
            "/value"),
        // reads
        Wrong.get(
            "a stream that is none", "streams/Account/nobody", ErrorCode.STREAM_NOT_FOUND, ""),
        Wrong.get("a stream of a type that is no name", "streams/1x/a", invalid, "aggregateType"),
        Wrong.get(
            "a stream from version 0", "streams/Account/x?fromVersion=0", invalid, "fromVersion"),
        Wrong.get("a stream sideways", "streams/Account/x?order=up", invalid, "order"),
        Wrong.get("a page of 0", "events?limit=0", invalid, "limit"),
        Wrong.get("a page of 1,001", "events?limit=1001", invalid, "limit"),
        Wrong.get("a page in words", "events?limit=all", invalid, "limit"),
        Wrong.get("a stream's page of 1,001", "streams/Account/x?limit=1001", invalid, "limit"),
        Wrong.get("events after -1", "events?after=-1", invalid, "after"),
        Wrong.get("events of a type that is no name", "events?type=1x", invalid, "type"),
        Wrong.get(
            "events of an id without its type",
            "events?aggregateId=a-1",
            invalid,
            "aggregateType"));
  }
}
