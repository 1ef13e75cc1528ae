package io.evento.server.gateway.http;

import org.jspecify.annotations.Nullable;

/** The page size of reads. */
public final class PageLimits {
  private static final int DEFAULT = 100;
  private static final int MAX = 1_000;

  private PageLimits() {}

  /**
   * @param given the query parameter {@code limit}, or null
   * @return 1 to 1,000; 100 if it is not given
   */
  public static int limit(@Nullable String given) {
    return given == null ? DEFAULT : (int) Headers.number("limit", given, 1, MAX);
  }
}
