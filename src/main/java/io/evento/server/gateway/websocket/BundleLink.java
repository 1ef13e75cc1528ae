package io.evento.server.gateway.websocket;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.server.cluster.NodeState;
import io.evento.server.routing.Failures;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.setting.Setting;
import jakarta.websocket.RemoteEndpoint;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One session's messages: takes frames apart and hands each message to its room. */
final class BundleLink {
  private static final Logger LOG = System.getLogger(BundleLink.class.getName());

  private final BundleServices door;
  private final String name;
  private final FrameWriter writer;
  private final SessionFeeds feeds;
  private final SessionQueries queries;
  private final Consumer<String> close;
  private volatile @Nullable BundleSession session;
  private final long openedAt = System.nanoTime();
  private final StringBuilder parts = new StringBuilder();
  private volatile long heardAt = openedAt;
  private volatile boolean isEnded;

  BundleLink(
      BundleServices door, String name, RemoteEndpoint.Async remote, Consumer<String> close) {
    this.door = door;
    this.name = name;
    this.close = close;
    writer = new FrameWriter(remote, close);
    feeds = new SessionFeeds(door.feeds, writer);
    queries = new SessionQueries(door.liveQueries, writer);
  }

  FrameWriter writer() {
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

  void close(String reason) {
    close.accept(reason);
  }

  /** Tells something to a bundle that introduced itself; others hear it in their welcome. */
  void tell(Message message) {
    if (session != null) {
      writer.send(message, Lane.ANSWER);
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
    } catch (EventoException refused) {
      writer.send(Message.Fault.of(idOf(line), refused), Lane.ANSWER);
    } catch (RuntimeException failure) {
      var id = idOf(line);
      var correlation = id == null ? UUID.randomUUID() : id;
      writer.send(
          Message.Fault.of(id, Failures.told(failure, correlation.toString())), Lane.ANSWER);
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
    if (message instanceof Message.Hello hello) {
      greet(hello);
      return;
    }
    if (message instanceof Message.Ping) {
      return;
    }
    var open = session;
    if (open == null) {
      throw EventoException.invalid("/t", "must be hello in the first message");
    }
    // Most frequent first.
    if (message instanceof Message.Decided decided) {
      open.answered(decided.attempt(), decided);
    } else if (message instanceof Message.Command command) {
      command(command);
    } else if (message instanceof Message.Query query) {
      query(query);
    } else if (message instanceof Message.BoundaryDecided decided) {
      open.answered(decided.attempt(), decided);
    } else if (message instanceof Message.Ack ack) {
      door.consumers.ack(open, ack);
    } else if (message instanceof Message.Credit credit) {
      door.consumers.credit(open, credit);
    } else if (message instanceof Message.Result result) {
      open.answered(result.id(), result);
    } else if (message instanceof Message.Fault fault) {
      failed(open, fault);
    } else if (message instanceof Message.Declare declare) {
      declare(open, declare);
    } else if (message instanceof Message.Stepped stepped) {
      door.consumers.stepped(open, stepped);
    } else if (message instanceof Message.Nack nack) {
      door.consumers.nack(open, nack);
    } else if (message instanceof Message.Retried retried) {
      door.consumers.retried(open, retried);
    } else if (message instanceof Message.Disable disable) {
      door.consumers.disable(open, disable);
    } else if (message instanceof Message.Schedule order) {
      answer(order.id(), door.schedules.add(order), BundleLink::text);
    } else if (message instanceof Message.Unschedule back) {
      answer(back.id(), door.schedules.cancel(back.command()), done -> null);
    } else if (message instanceof Message.Schedules asked) {
      answer(
          asked.id(),
          door.schedules.list(asked.type(), asked.after(), asked.limit()),
          BundleLink::text);
    } else if (message instanceof Message.Drain) {
      door.sessions.drain(open);
    } else if (message instanceof Message.Update update) {
      door.updateForwarder.update(open, update);
    } else if (message instanceof Message.View view) {
      open.answered(view.id(), view);
    } else if (message instanceof Message.Subscribe subscribe) {
      queries.subscribe(subscribe);
    } else if (message instanceof Message.Follow follow) {
      feeds.follow(follow);
    } else if (message instanceof Message.More more) {
      if (!feeds.more(more)) {
        queries.more(more);
      }
    } else if (message instanceof Message.Cancel cancel) {
      // For a request it is a hint: the deadline ends the work as well.
      feeds.cancel(cancel.id());
      queries.cancel(cancel.id());
    } else {
      throw EventoException.invalid("/t", "is a kind that nodes send");
    }
  }

  private void greet(Message.Hello hello) {
    if (session != null) {
      throw EventoException.invalid("/t", "must be hello only once");
    }
    var state = door.membership.state();
    if (state != NodeState.UP) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE, "this node is " + state.wire() + "; try another");
    }
    var greeted =
        new BundleSession(
            door.lastSession.incrementAndGet(), hello.bundle(), hello.instance(), writer);
    session = greeted;
    door.sessions.add(greeted);
    writer.send(
        new Message.Welcome(
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

  private void declare(BundleSession open, Message.Declare declare) {
    declare(open, declare.components())
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                door.sessions.declared(open, declare.components());
                writer.send(new Message.Result(declare.id(), null, null), Lane.ANSWER);
              } else {
                fail(declare.id(), failure);
              }
            });
  }

  private CompletionStage<Void> declare(BundleSession open, List<Message.Component> components) {
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

  /** Ends the session so that nothing under way is blamed for it; the bundle connects again. */
  void part(String reason) {
    var open = session;
    if (open != null) {
      door.sessions.drain(open);
    }
    close(reason);
  }

  private void command(Message.Command command) {
    door.router
        .dispatch(command)
        .whenComplete(
            (receipt, failure) -> {
              if (failure == null) {
                writer.send(new Message.Result(command.id(), receipt, null), Lane.ANSWER);
              } else {
                fail(command.id(), failure);
              }
            });
  }

  private void query(Message.Query query) {
    door.queries
        .ask(query)
        .whenComplete(
            (view, failure) -> {
              if (failure == null) {
                writer.send(new Message.Result(query.id(), null, view), Lane.ANSWER);
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
            writer.send(new Message.Result(id, null, payload.apply(value)), Lane.ANSWER);
          } else {
            fail(id, failure);
          }
        });
  }

  private static Json text(Object value) {
    return new Json(Codec.text(value));
  }

  private void fail(UUID id, Throwable failure) {
    writer.send(Message.Fault.of(id, Failures.told(failure, id.toString())), Lane.ANSWER);
  }

  private void failed(BundleSession open, Message.Fault fault) {
    if (fault.id() == null) {
      LOG.log(
          Level.WARNING,
          () -> "bundle could not read a message session=" + name + " detail=" + fault.detail());
    } else {
      open.answered(fault.id(), fault);
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
              "session closed session=" + name + " bundle=" + ended.bundle() + " reason=" + reason);
    }
  }
}
