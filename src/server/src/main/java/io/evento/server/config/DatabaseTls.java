package io.evento.server.config;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which addresses of the database may be gone to: who stands between could read and change
 * everything, so beyond this machine the server has to prove its name.
 */
public final class DatabaseTls {
  /** Whose value {@code elsewhere} says that something else protects the way, such as a tunnel. */
  public static final String KEY = "evento.db.tls";

  private static final Pattern AUTHORITY = Pattern.compile("jdbc:postgresql://([^/?]*).*");
  private static final Pattern LOOPBACK =
      Pattern.compile("(localhost|127(\\.[0-9]{1,3}){3}|\\[::1])?(:[0-9]*)?");
  private static final Pattern MODE = Pattern.compile("[?&]sslmode=([^&]*)");

  /** They replace the driver's own check. */
  private static final Pattern OTHER_CHECK =
      Pattern.compile("[?&](sslfactory|sslhostnameverifier|sslNegotiation)=");

  private DatabaseTls() {}

  /**
   * @param url as {@code evento.db.url} says it
   * @param tls as {@code evento.db.tls} says it
   * @throws IllegalArgumentException if a host beyond this machine need not prove its name
   */
  public static void require(String url, String tls) {
    if (!List.of("verify-full", "elsewhere").contains(tls)) {
      throw new IllegalArgumentException(KEY + " must be verify-full or elsewhere, is " + tls);
    }
    if (tls.equals("elsewhere") || isLoopback(url) || isVerified(url)) {
      return;
    }
    throw new IllegalArgumentException(
        "evento.db.url must have sslmode=verify-full, as it leads to another host; where something"
            + " else protects the way, set "
            + KEY
            + "=elsewhere");
  }

  private static boolean isLoopback(String url) {
    var authority = AUTHORITY.matcher(url);
    // Without an authority it is the driver's default, localhost.
    return !authority.matches()
        || Stream.of(authority.group(1).split(",", -1))
            .allMatch(host -> LOOPBACK.matcher(host).matches());
  }

  private static boolean isVerified(String url) {
    var modes = MODE.matcher(url).results().map(found -> found.group(1)).toList();
    return !modes.isEmpty()
        && modes.stream().allMatch("verify-full"::equals)
        && !OTHER_CHECK.matcher(url).find();
  }
}
