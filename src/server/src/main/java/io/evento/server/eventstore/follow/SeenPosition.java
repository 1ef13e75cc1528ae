package io.evento.server.eventstore.follow;

import io.evento.protocol.EventoException;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.StorePosition;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A position as somebody outside of the store names it, who may have seen it long ago: in a request
 * it stands as {@code 1017} or as {@code 1017@EPOCH}.
 *
 * @param epoch in which it was seen; null where that is not said, for the present one
 */
public record SeenPosition(long position, @Nullable UUID epoch) {
  private static final Pattern FORM =
      Pattern.compile("([0-9]{1,19})(?:@([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}))?");

  /**
   * @param name of what it stands in, for whoever wrote it
   * @throws EventoException {@code invalid-request} if it is of neither form
   */
  public static SeenPosition parse(String name, String text) {
    var form = FORM.matcher(text);
    try {
      if (form.matches()) {
        var epoch = form.group(2);
        return new SeenPosition(
            Long.parseLong(form.group(1)), epoch == null ? null : UUID.fromString(epoch));
      }
    } catch (NumberFormatException beyond) {
      // Said below.
    }
    throw EventoException.invalid(
        name, "must be a whole number of 0 or more, perhaps with @ and the epoch after it");
  }

  /**
   * The position where it still names what it named: that of a former epoch does up to where the
   * next one starts.
   *
   * @param lives of the store, read after the position was told
   * @throws EpochOverException if it does not, or if the store never had the epoch
   */
  public StorePosition in(Epochs lives) {
    var life = epoch;
    if (life == null) {
      return new StorePosition(lives.present(), position);
    }
    var place = lives.carryOver(new StorePosition(life, position)).orElse(null);
    if (place == null) {
      throw EpochOverException.unknown(life, lives);
    }
    if (place.position() < position) {
      throw EpochOverException.over(position, life, place);
    }
    return place;
  }
}
