package io.evento.server.aggregate;

import io.evento.protocol.Message.Story;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventReader;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;

/** Reads what leads to a stream's present state, in parts that fit into a frame. */
@NodeScoped
public class Stories {
  private static final int PART_EVENTS = 500;
  private static final int PART_BYTES = 256 << 10;

  private final EventReader reader;

  @Inject
  public Stories(EventReader reader) {
    this.reader = reader;
  }

  /**
   * @param tip the state that the parts lead to
   */
  record Told(Tip tip, List<Story> parts) {}

  /** Blocks on the database. */
  Told read(String stream) {
    var parts = new ArrayList<Story>();
    var at = Tip.EMPTY;
    while (true) {
      var read =
          reader
              .story(stream, at, PART_EVENTS, PART_BYTES)
              .orElseThrow(() -> new IllegalStateException("the store changed under a story"));
      parts.add(new Story(read.from().version(), null, read.events(), read.more()));
      at = read.tip();
      if (!read.more()) {
        return new Told(at, parts);
      }
    }
  }
}
