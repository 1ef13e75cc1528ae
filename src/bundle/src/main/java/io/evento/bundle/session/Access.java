package io.evento.bundle.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * How a bundle proves who it is, and whom it believes.
 *
 * @param token null for none; or
 * @param tokenFile where it stands, read again at each connect, so that a new one needs no restart;
 *     null for none
 * @param tls null for what the JVM trusts
 * @param isTlsElsewhere whether something else than this connection keeps strangers from reading
 *     along, so that the token may go over {@code ws://}
 */
public record Access(
    @Nullable String token,
    @Nullable Path tokenFile,
    @Nullable SSLContext tls,
    boolean isTlsElsewhere) {
  /** Nobody asks. */
  public static final Access NONE = new Access(null, null, null, false);

  /** What a header can carry; a file with more in it is no token. */
  private static final Pattern TOKEN = Pattern.compile("[!-~]{1,1000}");

  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[?::1]?|\\[?(0{1,4}:){7}0{0,3}1]?");

  /** Whether there is a token to be kept from strangers. */
  public boolean hasToken() {
    return token != null || tokenFile != null;
  }

  /**
   * The token as it is now.
   *
   * @throws UncheckedIOException if its file cannot be read
   * @throws IllegalStateException if what stands there is no token; the message does not tell it
   */
  Optional<String> read() {
    if (tokenFile == null) {
      return Optional.ofNullable(token).map(said -> checked(said, "the token"));
    }
    try {
      return Optional.of(
          checked(Files.readString(tokenFile).strip(), "what stands in " + tokenFile));
    } catch (IOException unreadable) {
      throw new UncheckedIOException("the token file cannot be read: " + tokenFile, unreadable);
    }
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "Access[" + (hasToken() ? "with" : "without") + " a token]";
  }

  private static String checked(String token, String where) {
    if (!TOKEN.matcher(token).matches()) {
      throw new IllegalStateException(
          where + " is no token: 1 to 1,000 visible characters without blanks");
    }
    return token;
  }

  /**
   * Why the token must not be sent to an address.
   *
   * @return empty if it may be
   */
  public Optional<String> refuses(URI address) {
    var host = String.valueOf(address.getHost());
    return hasToken()
            && !isTlsElsewhere
            && "ws".equals(address.getScheme())
            && !LOOPBACK.matcher(host).matches()
        ? Optional.of(
            "the token would go to "
                + host
                + " in the clear, for everybody on the way to read: use wss:// instead"
                + " of ws://, or say EVENTO_TLS=elsewhere where nobody can read along")
        : Optional.empty();
  }
}
