package io.evento.server.aggregate;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.session.BundleSession;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;

/**
 * One instance of a bundle that says what a test has written for it. What it is asked and what it
 * answers goes through the codec, as on the wire.
 *
 * @param <A> what it is asked
 */
@NullUnmarked
final class ScriptedBundle<A extends Message> implements BundleSession.Door {
  /** What it says to a question; null to say nothing. */
  interface Script<A extends Message> {
    Message answer(A asked, ScriptedBundle<A> self);
  }

  private final RoutingNode node;
  private final Class<A> kind;
  private final Script<A> script;
  private final List<A> asked = new CopyOnWriteArrayList<>();

  /** A decision under way may ask before its test knows the session. */
  private final CompletableFuture<BundleSession> opened = new CompletableFuture<>();

  ScriptedBundle(RoutingNode node, Component component, Class<A> kind, Script<A> script) {
    this.node = node;
    this.kind = kind;
    this.script = script;
    opened.complete(node.host(component, this));
  }

  @Override
  public boolean send(Message message, Lane lane) {
    var ask = kind.cast(Codec.read(Codec.write(message)));
    asked.add(ask);
    var answer = script.answer(ask, this);
    if (answer != null) {
      answer(answer);
    }
    return true;
  }

  /** Answers now what a script left open. */
  void answer(Message answer) {
    var read = Codec.read(Codec.write(answer));
    var attempt =
        read instanceof Decided decided ? decided.attempt() : ((BoundaryDecided) read).attempt();
    opened.join().answered(attempt, read);
  }

  /** Its session ends, unasked. */
  void die() {
    node.sessions.remove(opened.join());
  }

  boolean isDead() {
    return opened.join().endedUnasked();
  }

  /** All that it was asked, in order. */
  List<A> asked() {
    return asked;
  }
}
