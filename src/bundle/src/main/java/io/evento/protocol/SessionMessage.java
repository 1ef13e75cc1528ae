package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** How a session begins, lives and ends: who speaks, which nodes there are, who leaves. */
public sealed interface SessionMessage extends Message {
  /**
   * B→N, first message. One bundle instance may have many sessions, one or more per node. Who it is
   * was proved before, by the header {@code Authorization} of the handshake.
   *
   * @param bundle name of the bundle
   * @param instance random, one per process, the same on all its sessions
   * @param release of the SDK or of whatever speaks here
   */
  record Hello(String bundle, UUID instance, String release) implements SessionMessage {
    public Hello {
      Names.checkType("/bundle", bundle);
      require("/instance", instance);
      release = release == null ? "" : release;
    }
  }

  /**
   * N→B, the answer to {@link Hello}.
   *
   * @param payloadMax largest payload of one command, query or event, in bytes of UTF-8
   */
  record Welcome(String node, String release, int payloadMax, List<Member> members)
      implements SessionMessage {
    public Welcome {
      require("/node", node);
      members = listOf(members);
    }
  }

  /** N→B: the nodes that are alive now; sent at each change. */
  record Members(List<Member> members) implements SessionMessage {
    public Members {
      members = listOf(members);
    }
  }

  /**
   * A node of the cluster.
   *
   * @param id its name, the basis of ownership
   * @param url WebSocket address, such as {@code ws://a:8081/evento}
   * @param state {@code joining}, {@code up}, {@code draining}
   * @param process another one after each start of the node; null from nodes of releases that did
   *     not say it
   */
  record Member(String id, String url, String state, @Nullable UUID process) {
    /** Whether this node may own streams. */
    public boolean owns() {
      return "up".equals(state);
    }
  }

  /** Either way: goes out where nothing else was said for a second. Never answered. */
  record Ping() implements SessionMessage {}

  /**
   * N→B: this node leaves; open a session elsewhere, send nothing new here. B→N: this instance
   * leaves; give it nothing new.
   */
  record Drain() implements SessionMessage {}
}
