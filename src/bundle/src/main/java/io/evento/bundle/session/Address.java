package io.evento.bundle.session;

import io.evento.protocol.Backoff;
import io.evento.protocol.Printable;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An address that was given, and when to dial it next. Guarded by {@link Links}. */
public final class Address {
  /** Leads to the node of this JVM, whatever its name. */
  static final URI VM = URI.create("vm:/");

  private static final String VM_SCHEME = "vm";
  private static final Pattern VM_NODE = Pattern.compile(VM_SCHEME + ":[^/\\s]+");
  private static final Backoff WHEN_FAILED =
      new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5));
  private static final Backoff WHEN_KNOWN =
      new Backoff(Duration.ofMillis(100), Duration.ofSeconds(30));

  private static final Backoff WHEN_REFUSED =
      new Backoff(Duration.ofMillis(500), Duration.ofSeconds(60));

  private final URI uri;
  private String node = "";
  private @Nullable Session dialled;
  private int vain;
  private boolean ledToKnown;
  private String failure = "not tried yet";
  private long notBeforeNanos = System.nanoTime();

  Address(URI uri) {
    this.uri = uri;
  }

  /**
   * Where bundles are spoken to, from the address of a server. {@code vm:} is the node of this JVM,
   * {@code vm:node-1} the one of that name if there are several.
   *
   * @throws IllegalArgumentException if it is none; the message says what would be right
   */
  public static URI parse(String given) {
    try {
      if (given.strip().equals(VM_SCHEME + ":")) {
        return VM;
      }
      if (VM_NODE.matcher(given.strip()).matches()) {
        return new URI(VM_SCHEME, given.strip().substring(VM_SCHEME.length() + 1), null);
      }
      var uri = new URI(given.strip().replaceAll("/+$", "") + "/bundle");
      if (("ws".equals(uri.getScheme()) || "wss".equals(uri.getScheme()))
          && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException broken) {
      // Said below, together with what would be right.
    }
    throw new IllegalArgumentException(
        "the address \""
            + given
            + "\" must be like ws://host:8080/evento or wss://host/evento, or vm: for the node of this"
            + " JVM");
  }

  /** Whether it leads to a node of this JVM. */
  static boolean isInVm(URI uri) {
    return VM_SCHEME.equals(uri.getScheme());
  }

  URI uri() {
    return uri;
  }

  /** The node that it led to last, or empty. */
  String node() {
    return node;
  }

  /** As it was given, and what it leads to. */
  String told(boolean isConnected) {
    var given = uri.equals(VM) ? VM_SCHEME : uri.toString().replaceAll("/bundle$", "");
    return given + ": " + (isConnected ? "connected to " + node : Printable.log(failure));
  }

  boolean isDialling() {
    return dialled != null;
  }

  /** Whether nothing has failed since it led to a session that was used, or ever. */
  boolean isPromising() {
    return vain == 0;
  }

  boolean isDue(long now) {
    return dialled == null && now - notBeforeNanos >= 0;
  }

  void dialling(Session session) {
    dialled = session;
    ledToKnown = false;
  }

  /** The dialled session led to a node that we had no session to. */
  void met(String newNode) {
    node = newNode;
    dialled = null;
  }

  /** The dialled session led to a node that we have a session to. */
  void known(String oldNode) {
    node = oldNode;
    ledToKnown = true;
  }

  /** A session that it led to is over. */
  void ended(Session session, boolean wasKept, String reason) {
    failure = reason;
    if (dialled == session) {
      dialled = null;
    } else if (!wasKept) {
      return;
    }
    vain = session.wasUsable() ? 0 : vain + 1;
    var backoff = session.isRefused() ? WHEN_REFUSED : ledToKnown ? WHEN_KNOWN : WHEN_FAILED;
    notBeforeNanos = System.nanoTime() + backoff.halfByChance(vain).toNanos();
  }
}
