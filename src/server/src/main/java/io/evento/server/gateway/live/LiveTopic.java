package io.evento.server.gateway.live;

import io.evento.protocol.Json;
import io.evento.server.security.Access;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Something whose present state pages show live. Each bean of this type is a topic; it is looked at
 * only while somebody has subscribed, once for all of them.
 */
public interface LiveTopic {
  /** Unique, letters alone. */
  String name();

  /** How often it is looked at, a second at least. */
  Duration every();

  /** Who may see it; who may look at the console, unless it says otherwise. */
  default Access needs() {
    return Access.VIEW;
  }

  /**
   * The state now: a JSON object, whose members are told one by one as they change. May block on
   * the database for a moment, but not on other nodes: what they answer comes later, within some
   * seconds. Never called again before.
   */
  CompletionStage<Json> look();
}
