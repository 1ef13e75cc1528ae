package io.evento.bundle.personal;

import io.evento.protocol.Json;
import io.evento.protocol.PersonalMessage;
import java.util.LinkedHashSet;
import java.util.Set;

/** How subjects are named where their id is not to be read. */
public final class Subjects {
  private static final int CHARACTERS = 22;
  private static final String MARK = "\"" + SealedValue.MARK + "\"";
  private static final String SUBJECT = "\"" + SealedValue.SUBJECT + "\":\"";

  private Subjects() {}

  /** The hash that names a subject on the wire and in payloads. */
  public static String hash(String id) {
    return PersonalMessage.hash(id);
  }

  /** Whether something in a payload may be encrypted. */
  public static boolean areIn(Json payload) {
    return payload.text().contains(MARK);
  }

  /**
   * The subjects whose keys a payload may need, by a look at its text; what merely looks so is
   * found too.
   */
  public static Set<String> in(Json payload) {
    if (!areIn(payload)) {
      return Set.of();
    }
    var text = payload.text();
    var found = new LinkedHashSet<String>();
    for (var at = text.indexOf(SUBJECT); at >= 0; at = text.indexOf(SUBJECT, at + 1)) {
      var start = at + SUBJECT.length();
      if (text.startsWith("\"", start + CHARACTERS)) {
        found.add(text.substring(start, start + CHARACTERS));
      }
    }
    return found;
  }
}
