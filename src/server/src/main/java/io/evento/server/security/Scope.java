package io.evento.server.security;

/**
 * A right within a context and for some types.
 *
 * @param context a name, or a beginning of names followed by {@code *}
 * @param type of a command, query, event or component, in the same form; {@code *} of a right to
 *     keys, which are of contexts
 */
public record Scope(Right right, String context, String type) {

  boolean covers(Right asked, String inContext, String ofType) {
    return right == asked && isIn(inContext) && isOf(ofType);
  }

  boolean isIn(String name) {
    return matches(context, name);
  }

  boolean isOf(String name) {
    return matches(type, name);
  }

  /** Asked for each message, so nothing is made for it. */
  private static boolean matches(String pattern, String name) {
    var last = pattern.length() - 1;
    return last >= 0 && pattern.charAt(last) == '*'
        ? name.regionMatches(0, pattern, 0, last)
        : pattern.equals(name);
  }
}
