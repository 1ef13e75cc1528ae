package io.evento.server.gateway.websocket;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.Message;
import io.evento.protocol.PersonalMessage;
import io.evento.protocol.Printable;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.SessionMessage;
import io.evento.protocol.StepMessage;
import io.evento.server.routing.Failures;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.DeclaredRights;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.setting.Setting;
import jakarta.websocket.CloseReason.CloseCode;
import jakarta.websocket.CloseReason.CloseCodes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** One session's messages: takes frames apart and hands each message to its room. */
final class BundleLink {
  private static final Logger LOG = System.getLogger(BundleLink.class.getName());

  private final BundleServices door;
  private final Caller caller;
  private final String name;
  private final SessionWriter writer;
  private final SessionFeeds feeds;
  private final SessionQueries queries;
  private final BiConsumer<CloseCode, String> close;
  private volatile @Nullable BundleSession session;
  private volatile boolean isToldToGo;
  private final long openedAt = System.nanoTime();
  private final StringBuilder parts = new StringBuilder();
  private volatile long heardAt = openedAt;
  private volatile boolean isEnded;

  /** Who never asked holds none, and may not know what is told of them. */
  private volatile boolean asksForKeys;

  /**
   * @param caller whose rights it has
   */
  BundleLink(
      BundleServices door,
      Caller caller,
      String name,
      SessionWriter.Remote remote,
      BiConsumer<CloseCode, String> close) {
    this.door = door;
    this.caller = caller;
    this.name = name;
    this.close = close;
    writer = new SessionWriter(remote, this::close, door.traffic);
    feeds = new SessionFeeds(door.feeds, caller, writer);
    queries = new SessionQueries(door.liveQueries, door.audit, caller, writer);
  }

  Caller caller() {
    return caller;
  }

  SessionWriter writer() {
    return writer;
  }

  long heardAt() {
    return heardAt;
  }

  long openedAt() {
    return openedAt;
  }

  /** Whether its bundle introduced itself. */
  boolean isGreeted() {
    return session != null;
  }

  /** Its bundle should try another node, or this one later. */
  void close(String reason) {
    close(CloseCodes.TRY_AGAIN_LATER, reason);
  }

  void close(CloseCode code, String reason) {
    close.accept(code, reason);
  }

  /** Tells something to a bundle that introduced itself; others hear it in their welcome. */
  void tell(Message message) {
    if (session != null) {
      writer.send(message, Lane.ANSWER);
    }
  }

  /** Tells its bundle, once, to go to other nodes if it can do without this one. */
  void drain(Predicate<BundleSession> isElsewhere) {
    var open = session;
    if (open != null && !isToldToGo && isElsewhere.test(open)) {
      isToldToGo = true;
      tell(new SessionMessage.Drain());
    }
  }

  /** Whether its bundle was told to go to other nodes, and takes nothing new here. */
  boolean isToldToGo() {
    return isToldToGo;
  }

  /** These subjects have no keys any more. */
  void erased(List<String> subjects) {
    if (asksForKeys) {
      tell(new PersonalMessage.Erased(subjects));
    }
  }

  /**
   * @param part of a message, in order
   * @return false if the message is too long; nothing more is heard then
   */
  boolean receive(String part, boolean last) {
    if (isEnded) {
      return true;
    }
    heardAt = System.nanoTime();
    if (parts.length() + part.length() > BundleEndpoint.FRAME_CHARS_MAX) {
      return false;
    }
    if (last && parts.length() == 0) {
      receive(part);
      return true;
    }
    parts.append(part);
    if (last) {
      var whole = parts.toString();
      parts.setLength(0);
      parts.trimToSize();
      receive(whole);
    }
    return true;
  }

  private void receive(String frame) {
    door.traffic.received(frame);
    var start = 0;
    // Who was given up may still talk, and is heard by nobody: others have its work.
    while (start < frame.length() && !isEnded) {
      var end = frame.indexOf('\n', start);
      end = end < 0 ? frame.length() : end;
      if (end > start) {
        receiveLine(frame.substring(start, end));
      }
      start = end + 1;
    }
  }

  private void receiveLine(String line) {
    try {
      handle(Codec.receive(line));
    } catch (RuntimeException failure) {
      var id = idOf(line);
      var told = Failures.told(failure, (id == null ? UUID.randomUUID() : id).toString());
      note(told);
      writer.send(ReplyMessage.Fault.of(id, told), Lane.ANSWER);
    }
  }

  private static @Nullable UUID idOf(String line) {
    var id = Codec.field(line, "id");
    try {
      return id == null ? null : UUID.fromString(id);
    } catch (IllegalArgumentException malformed) {
      return null;
    }
  }

  private void handle(Message message) {
    if (message instanceof SessionMessage.Hello hello) {
      greet(hello);
      return;
    }
    if (message instanceof SessionMessage.Ping) {
      return;
    }
    var open = session;
    if (open == null) {
      throw EventoException.invalid("/t", "must be hello in the first message");
    }
    // Most frequent first, here and within a group.
    if (message instanceof DecideMessage answer) {
      handle(open, answer);
    } else if (message instanceof CommandMessage asked) {
      handle(asked);
    } else if (message instanceof QueryMessage.Query query) {
      query(query);
    } else if (message instanceof ConsumerMessage told) {
      handle(open, told);
    } else if (message instanceof ReplyMessage reply) {
      handle(open, reply);
    } else if (message instanceof DeclareMessage.Declare declare) {
      declare(open, declare);
    } else if (message instanceof StepMessage.Stepped stepped) {
      door.consumers.stepped(open, stepped);
    } else if (message instanceof LiveMessage told) {
      handle(open, told);
    } else if (message instanceof PersonalMessage.Keys asked) {
      asksForKeys = caller.hasAny(Right.PERSONAL);
      answer(asked.id(), door.subjectKeys.give(caller, open.components(), asked), BundleLink::text);
    } else if (message instanceof SessionMessage.Drain) {
      door.sessions.drain(open);
    } else {
      throw misdirected();
    }
  }

  private static void handle(BundleSession open, DecideMessage answer) {
    if (answer instanceof DecideMessage.Decided decided) {
      open.answered(decided.attempt(), decided);
    } else if (answer instanceof DecideMessage.BoundaryDecided decided) {
      open.answered(decided.attempt(), decided);
    } else {
      throw misdirected();
    }
  }

  private void handle(CommandMessage asked) {
    if (asked instanceof CommandMessage.Command command) {
      command(command);
    } else if (asked instanceof CommandMessage.Schedule order) {
      answer(order.id(), door.schedules.add(caller, order), BundleLink::text);
    } else if (asked instanceof CommandMessage.Unschedule back) {
      answer(back.id(), door.schedules.cancel(caller, back.command()), done -> null);
    } else if (asked instanceof CommandMessage.Schedules page) {
      answer(
          page.id(),
          door.schedules.list(caller, page.type(), page.after(), page.limit()),
          BundleLink::text);
    } else {
      throw misdirected();
    }
  }

  private void handle(BundleSession open, ConsumerMessage told) {
    if (told instanceof ConsumerMessage.Ack ack) {
      door.consumers.ack(open, ack);
    } else if (told instanceof ConsumerMessage.Credit credit) {
      door.consumers.credit(open, credit);
    } else if (told instanceof ConsumerMessage.Nack nack) {
      door.consumers.nack(open, nack);
    } else if (told instanceof ConsumerMessage.Retried retried) {
      door.consumers.retried(open, retried);
    } else if (told instanceof ConsumerMessage.Disable disable) {
      door.consumers.disable(open, disable);
    } else {
      throw misdirected();
    }
  }

  private void handle(BundleSession open, ReplyMessage reply) {
    if (reply instanceof ReplyMessage.Result result) {
      open.answered(result.id(), result);
    } else if (reply instanceof ReplyMessage.Fault fault) {
      failed(open, fault);
    } else if (reply instanceof ReplyMessage.Cancel cancel) {
      // For a request it is a hint: the deadline ends the work as well.
      feeds.cancel(cancel.id());
      queries.cancel(cancel.id());
    } else {
      throw misdirected();
    }
  }

  private void handle(BundleSession open, LiveMessage told) {
    if (told instanceof LiveMessage.Update update) {
      door.updateForwarder.update(open, update);
    } else if (told instanceof LiveMessage.View view) {
      open.answered(view.id(), view);
    } else if (told instanceof LiveMessage.Subscribe subscribe) {
      queries.subscribe(subscribe);
    } else if (told instanceof LiveMessage.Follow follow) {
      feeds.follow(follow);
    } else if (told instanceof LiveMessage.More more) {
      if (!feeds.more(more)) {
        queries.more(more);
      }
    } else {
      throw misdirected();
    }
  }

  private static EventoException misdirected() {
    return EventoException.invalid("/t", "is a kind that nodes send");
  }

  private void greet(SessionMessage.Hello hello) {
    if (session != null) {
      throw EventoException.invalid("/t", "must be hello only once");
    }
    DeclaredRights.checkName(caller, hello.bundle());
    door.availability.checkWelcome(hello.instance());
    var greeted =
        new BundleSession(
            door.lastSession.incrementAndGet(), hello.bundle(), hello.instance(), caller, writer);
    session = greeted;
    door.sessions.add(greeted);
    writer.send(
        new SessionMessage.Welcome(
            door.config.node().name(),
            door.config.node().release(),
            door.settings.get(Setting.PAYLOAD_BYTES_MAX),
            door.membership.members().toMembers()),
        Lane.ANSWER);
    LOG.log(
        Level.INFO,
        () ->
            "session opened session="
                + name
                + " bundle="
                + hello.bundle()
                + " instance="
                + hello.instance());
  }

  private void declare(BundleSession open, DeclareMessage.Declare declare) {
    declare(open, declare.components())
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                door.sessions.declared(open, declare.components());
                writer.send(new ReplyMessage.Result(declare.id(), null, null), Lane.ANSWER);
              } else {
                fail(declare.id(), failure);
              }
            });
  }

  private CompletionStage<Void> declare(
      BundleSession open, List<DeclareMessage.Component> components) {
    DeclaredRights.check(caller, components);
    return door.catalog.declare(
        open.bundle(),
        components,
        door.membership.ofAnotherRelease().map(node -> node.name() + " " + node.release()));
  }

  /**
   * Stores once more what the bundle declared, as the store has another past now, which may not
   * have it.
   *
   * @return fails as the catalog does
   */
  CompletionStage<Void> declareAnew() {
    var open = session;
    return isEnded || open == null || open.components().isEmpty()
        ? CompletableFuture.completedStage(null)
        : declare(open, open.components());
  }

  /** Whether a component, or a type of command or query, is hosted here. */
  boolean hosts(String kind, String name) {
    var open = session;
    return open != null
        && switch (kind) {
          case "command" -> open.commands().contains(name);
          case "query" -> open.queries().contains(name);
          default ->
              open.components().stream()
                  .anyMatch(one -> one.kind().wire().equals(kind) && one.name().equals(name));
        };
  }

  /** Ends the session so that nothing under way is blamed for it; the bundle connects again. */
  void part(String reason) {
    var open = session;
    if (open != null) {
      door.sessions.drain(open);
    }
    close(reason);
  }

  private void command(CommandMessage.Command command) {
    door.router
        .dispatch(caller, command)
        .whenComplete(
            (receipt, failure) -> {
              if (failure == null) {
                writer.send(new ReplyMessage.Result(command.id(), receipt, null), Lane.ANSWER);
              } else {
                fail(command.id(), failure);
              }
            });
  }

  private void query(QueryMessage.Query query) {
    door.queries
        .ask(caller, query)
        .whenComplete(
            (view, failure) -> {
              if (failure == null) {
                writer.send(new ReplyMessage.Result(query.id(), null, view), Lane.ANSWER);
              } else {
                fail(query.id(), failure);
              }
            });
  }

  private <T> void answer(
      UUID id, CompletionStage<T> outcome, Function<T, @Nullable Json> payload) {
    outcome.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            writer.send(new ReplyMessage.Result(id, null, payload.apply(value)), Lane.ANSWER);
          } else {
            fail(id, failure);
          }
        });
  }

  private static Json text(Object value) {
    return new Json(Codec.text(value));
  }

  private void fail(UUID id, Throwable failure) {
    var told = Failures.told(failure, id.toString());
    note(told);
    writer.send(ReplyMessage.Fault.of(id, told), Lane.ANSWER);
  }

  /** Whoever asks for what he has no right to leaves a trace. */
  private void note(EventoException refused) {
    door.audit.failed(caller, refused.detail(), refused);
  }

  private void failed(BundleSession open, ReplyMessage.Fault fault) {
    if (fault.id() == null) {
      LOG.log(
          Level.WARNING,
          () ->
              "bundle could not read a message session="
                  + name
                  + " detail="
                  + Printable.log(fault.detail()));
    } else {
      // Whoever asked is told of his own request: what a bundle says of another leads nowhere.
      open.answered(
          fault.id(),
          new ReplyMessage.Fault(
              fault.id(),
              fault.code(),
              fault.detail(),
              fault.errors(),
              fault.rejection(),
              null,
              fault.retryAfter()));
    }
  }

  void closed(String reason) {
    isEnded = true;
    feeds.close();
    queries.close();
    var ended = session;
    if (ended != null) {
      door.sessions.remove(ended);
      LOG.log(
          Level.INFO,
          () ->
              "session closed session="
                  + name
                  + " bundle="
                  + ended.bundle()
                  + " reason="
                  + Printable.log(reason));
    }
  }
}
