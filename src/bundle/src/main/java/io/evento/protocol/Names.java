package io.evento.protocol;

import java.util.regex.Pattern;

/** The rules for names and ids that travel on the wire. */
public final class Names {
  private static final Pattern TYPE = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,99}");

  /** 128 bits in base64url. */
  private static final Pattern SUBJECT = Pattern.compile("[A-Za-z0-9_-]{22}");

  /** Longest aggregate id, in characters. */
  public static final int AGGREGATE_ID_MAX = 200;

  /** Longest tag, in characters. */
  public static final int TAG_MAX = 300;

  /** An event has at most so many tags. */
  public static final int TAGS_MAX = 100;

  private Names() {}

  /** Checks the name of a payload, component, bundle or context. */
  public static String checkType(String pointer, String name) {
    if (name == null || !TYPE.matcher(name).matches()) {
      throw EventoException.invalid(
          pointer, "must start with a letter and have 1 to 100 letters, digits, '.', '_' or '-'");
    }
    return name;
  }

  public static String checkAggregateId(String pointer, String id) {
    if (id == null || id.isEmpty() || id.length() > AGGREGATE_ID_MAX) {
      throw EventoException.invalid(pointer, "must have 1 to " + AGGREGATE_ID_MAX + " characters");
    }
    for (var i = 0; i < id.length(); i++) {
      if (Character.isISOControl(id.charAt(i)) || isLoneSurrogate(id, i)) {
        throw EventoException.invalid(pointer, "must not contain control characters");
      }
    }
    return id;
  }

  /** Checks a tag of an event, such as {@code course:c-1}. */
  public static String checkTag(String pointer, String tag) {
    if (tag == null || tag.isEmpty() || tag.length() > TAG_MAX) {
      throw EventoException.invalid(pointer, "must have 1 to " + TAG_MAX + " characters");
    }
    for (var i = 0; i < tag.length(); i++) {
      if (Character.isISOControl(tag.charAt(i)) || isLoneSurrogate(tag, i)) {
        throw EventoException.invalid(pointer, "must not contain control characters");
      }
    }
    return tag;
  }

  /** Checks the hash that names a subject of personal data. */
  public static String checkSubject(String pointer, String hash) {
    if (hash == null || !SUBJECT.matcher(hash).matches()) {
      throw EventoException.invalid(
          pointer, "must be the hash of a subject, 22 characters of base64url");
    }
    return hash;
  }

  private static boolean isLoneSurrogate(String text, int at) {
    var here = text.charAt(at);
    if (Character.isHighSurrogate(here)) {
      return at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1));
    }
    return Character.isLowSurrogate(here)
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }
}
