package io.evento.server.security;

import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether this node lets everybody in, as on a developer's machine ({@code evento.security=open}),
 * and why it must not. It never does before it has looked at all conditions, and stops once one of
 * them does not hold any more: only this machine reaches the node, by its configuration; only this
 * machine reaches the other nodes; and there never was an administrator.
 */
@NodeScoped
public class OpenMode {
  private static final Logger LOG = System.getLogger(OpenMode.class.getName());
  private static final Pattern LOOPBACK_4 = Pattern.compile("127(\\.\\d{1,3}){3}");
  private static final Pattern LOOPBACK_6 = Pattern.compile("\\[?(0*:){1,7}0*1]?");
  private static final String NOT_YET = "this node has not looked yet whether it may be open";

  private final boolean isOpen;
  private final @Nullable String ofItself;
  private volatile @Nullable String refusal;

  @Inject
  public OpenMode(ServerConfig config) {
    isOpen = config.security().isOpen();
    ofItself = isOpen ? ofItself(config.node()) : null;
    refusal = isOpen && ofItself == null ? NOT_YET : ofItself;
  }

  /** As configured. */
  public boolean isOpen() {
    return isOpen;
  }

  /** Whether the node is open, and may be. */
  public boolean letsEverybodyIn() {
    return isOpen && refusal == null;
  }

  /** Why this node serves nobody; empty if it is not open, or may be. */
  public Optional<String> refusal() {
    return Optional.ofNullable(refusal);
  }

  /**
   * @throws IllegalStateException if this node must not be open, whatever the others are
   */
  public void checkItself() {
    if (ofItself != null) {
      throw new IllegalStateException(ofItself);
    }
  }

  /**
   * Looks at what may have changed.
   *
   * @param urls of all nodes that live
   * @param isArmed whether there ever was an administrator
   */
  public void look(Collection<String> urls, boolean isArmed) {
    if (!isOpen) {
      return;
    }
    var before = refusal;
    var found = find(urls, isArmed);
    refusal = found;
    if (found == null && before != null) {
      LOG.log(Level.WARNING, "this node is open: whoever reaches it may do everything");
    } else if (found != null && !found.equals(before)) {
      LOG.log(Level.ERROR, () -> "this node must not be open and serves nobody: " + found);
    }
  }

  private @Nullable String find(Collection<String> urls, boolean isArmed) {
    if (ofItself != null) {
      return ofItself;
    }
    if (isArmed) {
      return "evento.security must be on, as this database has an administrator";
    }
    return urls.stream()
        .filter(url -> !isLoopback(host(url)))
        .findFirst()
        .map(url -> "evento.security must be on, as other machines reach the node at " + url)
        .orElse(null);
  }

  private static @Nullable String ofItself(ServerConfig.Node node) {
    if (!isLoopback(node.bind())) {
      return "evento.security may be open only where evento.node.bind is a loopback address, it is "
          + node.bind();
    }
    return isLoopback(host(node.url()))
        ? null
        : "evento.security may be open only where evento.node.url has a loopback address, it is "
            + node.url();
  }

  private static String host(String url) {
    try {
      var host = URI.create(url).getHost();
      return host == null ? "" : host;
    } catch (IllegalArgumentException malformed) {
      return "";
    }
  }

  /** Of addresses and {@code localhost}; other names may mean anything tomorrow. */
  public static boolean isLoopback(String host) {
    var name = host.toLowerCase(Locale.ROOT);
    return name.equals("localhost")
        || LOOPBACK_4.matcher(name).matches()
        || LOOPBACK_6.matcher(name).matches();
  }
}
