package io.evento.server.gateway.websocket;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.DeclareMessage.QueryType;
import io.evento.protocol.Json;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.Receipt;
import io.evento.protocol.ReplyMessage;
import io.evento.server.gateway.WholeNode;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What a bank's bundles declare and are allowed, and one that hosts it all. */
final class Bank {
  static final String GREET = "Greet";
  static final String ASK = "Ask";

  private Bank() {}

  static Caller bundle(String name, Scope... scopes) {
    return new Caller(
        Caller.Kind.BUNDLE, name, Set.of(), List.of(scopes), UUID.randomUUID(), "192.0.2.1");
  }

  static Scope host(String context, String type) {
    return new Scope(Right.HOST, context, type);
  }

  static Scope send(String context, String type) {
    return new Scope(Right.SEND, context, type);
  }

  static Scope read(String context, String type) {
    return new Scope(Right.READ, context, type);
  }

  static Component service(String name, String context, String... commands) {
    return new Component(
        ComponentKind.SERVICE,
        name,
        0,
        context,
        Arrays.stream(commands).map(type -> new CommandType(type, null, null)).toList(),
        List.of(),
        List.of(),
        null,
        null);
  }

  static Component aggregate(String name, String context, String... events) {
    return new Component(
        ComponentKind.AGGREGATE,
        name,
        0,
        context,
        List.of(),
        Arrays.stream(events).map(type -> new EventType(type, null)).toList(),
        List.of(),
        null,
        null);
  }

  static Component projection(String name, String context, String... queries) {
    return new Component(
        ComponentKind.PROJECTION,
        name,
        0,
        context,
        List.of(),
        List.of(),
        Arrays.stream(queries).map(type -> new QueryType(type, null, null)).toList(),
        null,
        null);
  }

  static Component projector(String name, String context, List<String> reads, List<String> types) {
    return new Component(
        ComponentKind.PROJECTOR,
        name,
        1,
        context,
        List.of(),
        List.of(),
        List.of(),
        new Consumption(reads, types, "beginning", 1),
        null);
  }

  static void declare(Peer peer, Component... components) {
    var id = UUID.randomUUID();
    var answer = peer.ask(id, new DeclareMessage.Declare(id, List.of(components)));
    if (!(answer instanceof ReplyMessage.Result)) {
      throw new AssertionError("not declared: " + answer);
    }
  }

  /** A bundle that greets whomever it is told to, and answers what it is asked. */
  static Peer open(WholeNode node) {
    return open(node, Caller.developer("127.0.0.1"));
  }

  static Peer open(WholeNode node, Caller caller) {
    var peer = Peer.greet(node, caller);
    peer.script =
        message -> {
          if (message instanceof CommandMessage.Command command) {
            peer.say(new ReplyMessage.Result(command.id(), null, new Json("\"hello\"")));
          } else if (message instanceof QueryMessage.Query query) {
            peer.say(new ReplyMessage.Result(query.id(), null, new Json("42")));
          }
        };
    declare(peer, service("Greeter", "bank", GREET), projection("Answers", "bank", ASK));
    await().until(() -> peer.closed() == null);
    return peer;
  }

  /** Stores an event of no stream. */
  static Receipt append(WholeNode node, Caller caller, String context, String type) {
    return append(node, caller, context, type, null);
  }

  // The check does not see in class files that a nested type is nullable.
  @SuppressWarnings("NullAway")
  static Receipt append(
      WholeNode node, Caller caller, String context, String type, @Nullable Json meta) {
    return node.get(Appends.class)
        .append(
            new Appends.Append(
                caller,
                UUID.randomUUID(),
                Json.EMPTY_OBJECT,
                context,
                null,
                List.of(new DecideMessage.NewEvent(type, List.of(), Json.EMPTY_OBJECT)),
                null,
                Deadline.in(10_000),
                null,
                meta))
        .toCompletableFuture()
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  static CommandMessage.Command greet(UUID id) {
    return new CommandMessage.Command(id, GREET, null, 5_000, null, null, Json.EMPTY_OBJECT);
  }

  static QueryMessage.Query ask(UUID id) {
    return new QueryMessage.Query(id, ASK, 5_000, null, Json.EMPTY_OBJECT);
  }
}
