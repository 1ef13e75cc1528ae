package io.evento.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A small OpenID provider on this machine: discovery, authorization code with PKCE S256, keys of
 * RSA and of EC. It keeps its own side of the rules: a code is for one client and one use, and
 * whoever exchanges it shows secret and verifier. Whoever comes is signed in at once, as the person
 * of the moment. A test may make its tokens wrong.
 */
public final class OidcProvider implements AutoCloseable {
  public static final String CLIENT = "evento";
  public static final String SECRET = "s3cret: of the client";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int RSA_BITS = 2_048;

  /** How the next tokens are signed. */
  public enum Signing {
    RS256,
    ES256,
    /** Not at all. */
    NONE,
    /** By HMAC, with the public RSA key as everybody has it for a password. */
    HS256_WITH_THE_PUBLIC_KEY,
    /** By a key that is not published, under the id of the one that is. */
    FOREIGN_KEY
  }

  private record Granted(String redirect, String challenge, String nonce) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Granted> codes = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private final KeyPair ec = pair("EC");
  private final KeyPair foreign = pair("RSA");
  private volatile KeyPair rsa = pair("RSA");
  private volatile String rsaId = "rsa-1";
  private volatile Signing signing = Signing.RS256;
  private volatile Consumer<ObjectNode> claims = set -> {};
  private volatile Consumer<ObjectNode> header = set -> {};
  private volatile String hangs = "";
  private volatile String subject = "subject-1";
  private volatile String name = "ada";
  private volatile List<String> groups = List.of();

  private OidcProvider(HttpServer server) {
    this.server = server;
  }

  /** On a port that is free. */
  public static OidcProvider start() {
    return start(0);
  }

  public static OidcProvider start(int port) {
    try {
      var server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 50);
      var provider = new OidcProvider(server);
      server.setExecutor(provider.threads);
      server.createContext("/", provider::answer);
      server.start();
      return provider;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  public String issuer() {
    return issuer(server.getAddress().getPort());
  }

  /** The issuer of a provider on that port. */
  public static String issuer(int port) {
    return "http://127.0.0.1:" + port + "/realm";
  }

  /** Who is at the browser from now on. */
  public OidcProvider person(String newSubject, String newName, String... newGroups) {
    subject = newSubject;
    name = newName;
    groups = List.of(newGroups);
    return this;
  }

  /** How tokens are signed from now on. */
  public void sign(Signing how) {
    signing = how;
  }

  /** Changes what a token claims, from now on. */
  public void claim(Consumer<ObjectNode> change) {
    claims = change;
  }

  /** Changes what a token has as its header, from now on. */
  public void head(Consumer<ObjectNode> change) {
    header = change;
  }

  /** Signs by a new key, under a new id, which is published; the one before is not any more. */
  public void rotate() {
    rsa = pair("RSA");
    rsaId = "rsa-" + UUID.randomUUID();
  }

  /** Does not answer at a path from now on; empty to answer. */
  public void hang(String path) {
    hangs = path;
  }

  /** All as it should be. */
  public void behave() {
    signing = Signing.RS256;
    claims = set -> {};
    header = set -> {};
    hangs = "";
  }

  /** How often a path was asked. */
  public int asked(String path) {
    return asked.computeIfAbsent(path, first -> new AtomicInteger()).get();
  }

  /**
   * What a browser does that is sent here.
   *
   * @return where it is sent back
   */
  public URI visit(URI authorization) {
    var given = form(authorization.getRawQuery());
    check(authorization.toString().startsWith(issuer() + "/auth?"), "the address");
    check("code".equals(given.get("response_type")), "response_type");
    check(CLIENT.equals(given.get("client_id")), "client_id");
    check("S256".equals(given.get("code_challenge_method")), "code_challenge_method");
    check(given.getOrDefault("scope", "").startsWith("openid"), "scope");
    var code = UUID.randomUUID().toString();
    codes.put(
        code,
        new Granted(
            given.getOrDefault("redirect_uri", ""),
            given.getOrDefault("code_challenge", ""),
            given.getOrDefault("nonce", "")));
    return URI.create(
        "%s?code=%s&state=%s&iss=%s"
            .formatted(
                given.get("redirect_uri"),
                code,
                encoded(given.getOrDefault("state", "")),
                encoded(issuer())));
  }

  private static void check(boolean isSo, String what) {
    if (!isSo) {
      throw new IllegalArgumentException("the provider was asked with a wrong " + what);
    }
  }

  /** The fields of a form or query. */
  public static Map<String, String> form(String text) {
    var fields = new HashMap<String, String>();
    for (var one : text.split("&", -1)) {
      var at = one.indexOf('=');
      fields.put(
          one.substring(0, at), URLDecoder.decode(one.substring(at + 1), StandardCharsets.UTF_8));
    }
    return fields;
  }

  private void answer(HttpExchange exchange) throws IOException {
    var path = exchange.getRequestURI().getPath().replaceFirst("^/realm", "");
    asked.computeIfAbsent(path, first -> new AtomicInteger()).incrementAndGet();
    try {
      if (path.equals(hangs)) {
        end.await();
      }
      var body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      switch (path) {
        case "/.well-known/openid-configuration" -> send(exchange, 200, discovery());
        case "/keys" -> send(exchange, 200, keys());
        case "/token" -> token(exchange, body);
        case "/auth" -> sendBack(exchange);
        default -> send(exchange, 404, JSON.createObjectNode());
      }
    } catch (GeneralSecurityException | RuntimeException failure) {
      send(exchange, 500, JSON.createObjectNode().put("error", failure.toString()));
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } finally {
      exchange.close();
    }
  }

  /** Who comes with a browser of his own is signed in already. */
  private void sendBack(HttpExchange exchange) throws IOException {
    var back = visit(URI.create(issuer() + "/auth?" + exchange.getRequestURI().getRawQuery()));
    exchange.getResponseHeaders().add("Location", back.toString());
    exchange.sendResponseHeaders(303, -1);
  }

  private ObjectNode discovery() {
    return JSON.createObjectNode()
        .put("issuer", issuer())
        .put("authorization_endpoint", issuer() + "/auth")
        .put("token_endpoint", issuer() + "/token")
        .put("jwks_uri", issuer() + "/keys")
        .put("authorization_response_iss_parameter_supported", true);
  }

  private ObjectNode keys() {
    var set = JSON.createObjectNode();
    var keys = set.putArray("keys");
    var modulus = ((RSAPublicKey) rsa.getPublic()).getModulus();
    var exponent = ((RSAPublicKey) rsa.getPublic()).getPublicExponent();
    keys.addObject()
        .put("kty", "RSA")
        .put("kid", rsaId)
        .put("use", "sig")
        .put("n", text(bytes(modulus, RSA_BITS / 8)))
        .put("e", text(exponent.toByteArray()));
    var point = ((ECPublicKey) ec.getPublic()).getW();
    keys.addObject()
        .put("kty", "EC")
        .put("crv", "P-256")
        .put("kid", "ec-1")
        .put("alg", "ES256")
        .put("x", text(bytes(point.getAffineX(), 32)))
        .put("y", text(bytes(point.getAffineY(), 32)));
    return set;
  }

  private void token(HttpExchange exchange, String body)
      throws IOException, GeneralSecurityException {
    var given = form(body);
    var known = "Basic " + base64((encoded(CLIENT) + ":" + encoded(SECRET)));
    if (!known.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      send(exchange, 401, JSON.createObjectNode().put("error", "invalid_client"));
      return;
    }
    var granted = codes.remove(given.getOrDefault("code", ""));
    if (granted == null
        || !"authorization_code".equals(given.get("grant_type"))
        || !granted.redirect().equals(given.get("redirect_uri"))
        || !granted.challenge().equals(sha256(given.getOrDefault("code_verifier", "")))) {
      send(
          exchange,
          400,
          JSON.createObjectNode()
              .put("error", "invalid_grant")
              .put("error_description", "secret of the provider"));
      return;
    }
    send(
        exchange,
        200,
        JSON.createObjectNode()
            .put("access_token", "not used")
            .put("token_type", "Bearer")
            .put("id_token", idToken(granted.nonce())));
  }

  private String idToken(String nonce) throws GeneralSecurityException {
    var now = Instant.now().getEpochSecond();
    var set =
        JSON.createObjectNode()
            .put("iss", issuer())
            .put("sub", subject)
            .put("aud", CLIENT)
            .put("iat", now)
            .put("exp", now + 300)
            .put("nonce", nonce)
            .put("preferred_username", name);
    var given = set.putArray("groups");
    groups.forEach(given::add);
    claims.accept(set);
    var head =
        JSON.createObjectNode()
            .put(
                "alg",
                switch (signing) {
                  case NONE -> "none";
                  case ES256 -> "ES256";
                  case HS256_WITH_THE_PUBLIC_KEY -> "HS256";
                  default -> "RS256";
                })
            .put("kid", signing == Signing.ES256 ? "ec-1" : rsaId);
    header.accept(head);
    var signed = text(utf8(head.toString())) + "." + text(utf8(set.toString()));
    return signed + "." + text(signature(utf8(signed)));
  }

  private byte[] signature(byte[] signed) throws GeneralSecurityException {
    switch (signing) {
      case NONE -> {
        return new byte[0];
      }
      case HS256_WITH_THE_PUBLIC_KEY -> {
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(rsa.getPublic().getEncoded(), "HmacSHA256"));
        return mac.doFinal(signed);
      }
      default -> {
        var signer =
            Signature.getInstance(
                signing == Signing.ES256 ? "SHA256withECDSAinP1363Format" : "SHA256withRSA");
        signer.initSign(
            switch (signing) {
              case ES256 -> ec.getPrivate();
              case FOREIGN_KEY -> foreign.getPrivate();
              default -> rsa.getPrivate();
            });
        signer.update(signed);
        return signer.sign();
      }
    }
  }

  private static void send(HttpExchange exchange, int status, ObjectNode body) throws IOException {
    var bytes = utf8(body.toString());
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static KeyPair pair(String kind) {
    try {
      var generator = KeyPairGenerator.getInstance(kind);
      if (kind.equals("EC")) {
        generator.initialize(new ECGenParameterSpec("secp256r1"));
      } else {
        generator.initialize(RSA_BITS);
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static byte[] bytes(BigInteger number, int length) {
    var given = number.toByteArray();
    var bytes = new byte[length];
    var count = Math.min(length, given.length);
    System.arraycopy(given, given.length - count, bytes, length - count, count);
    return bytes;
  }

  private static String sha256(String text) throws GeneralSecurityException {
    return text(MessageDigest.getInstance("SHA-256").digest(utf8(text)));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(utf8(text));
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    end.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
