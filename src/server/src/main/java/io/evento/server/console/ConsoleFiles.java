package io.evento.server.console;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The files of the console, compressed and with what their pages may do said in their head. An
 * address that does not end as a file here does is one of a page: it is given {@code index.html},
 * whose program knows the page.
 *
 * <p>Each file is read once. For whoever works on them the system property {@code
 * evento.console.dir} names a folder that is read at each request.
 */
@WebServlet(
    urlPatterns = {"/console/*", ""},
    asyncSupported = true)
public class ConsoleFiles extends HttpServlet {
  private static final long serialVersionUID = 1L;

  /** The same that the gate lets through. */
  private static final Pattern NAME =
      Pattern.compile("(?:/[A-Za-z0-9_~!*'()-][A-Za-z0-9._~!*'()-]*+)++");

  private static final String INDEX = "/index.html";
  private static final String PROGRAM = "/app.js";
  private static final Pattern PAGE = Pattern.compile("[a-z]*");
  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml; charset=utf-8");

  /** Nothing but what this node serves runs, and no text becomes a program. */
  private static final String POLICY =
      String.join(
          "; ",
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "img-src 'self' data:",
          "font-src 'self'",
          "connect-src 'self'",
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
          "trusted-types lit-html");

  private static final Set<String> CODE = Set.of("js", "css");

  /** Those that have their lines to themselves. */
  private static final Pattern COMMENTS =
      Pattern.compile(
          "^[ \\t]*(?:/\\*(?:[^*]++|\\*(?!/))*+\\*/|//.*)[ \\t]*\\R", Pattern.MULTILINE);

  /**
   * @param zipped null where it is no smaller
   */
  private record Asset(byte[] plain, byte @Nullable [] zipped, String tag, String type) {}

  private final transient Map<String, Asset> known = new ConcurrentHashMap<>();
  private transient @Nullable Path folder;

  @Override
  public void init() {
    folder =
        Optional.ofNullable(System.getProperty("evento.console.dir")).map(Path::of).orElse(null);
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    var path = request.getPathInfo();
    if (!request.getServletPath().equals("/console") || path == null) {
      response.setHeader("Vary", "Accept");
      response.setHeader(
          "Location",
          request.getContextPath()
              + (isForReaders(request) ? "/console/welcome.html" : "/console/"));
      response.setStatus(HttpServletResponse.SC_FOUND);
      return;
    }
    var asset = NAME.matcher(path).matches() || path.endsWith("/") ? find(path) : null;
    if (asset == null) {
      response.sendError(HttpServletResponse.SC_NOT_FOUND);
      return;
    }
    head(request, response, asset);
    response.setHeader("ETag", asset.tag);
    if (asset.tag.equals(request.getHeader("If-None-Match"))) {
      response.setStatus(HttpServletResponse.SC_NOT_MODIFIED);
      return;
    }
    var accepted = request.getHeader("Accept-Encoding");
    var zipped = accepted != null && accepted.contains("gzip") ? asset.zipped : null;
    if (zipped != null) {
      response.setHeader("Content-Encoding", "gzip");
    }
    response.setContentType(asset.type);
    response.getOutputStream().write(zipped == null ? asset.plain : zipped);
  }

  /**
   * Who reads is led from the root to the page that says what this is, programs to the console. The
   * page itself is below the console, where callers are counted before they are answered.
   */
  private static boolean isForReaders(HttpServletRequest request) {
    if (!request.getServletPath().isEmpty()) {
      return false;
    }
    var accepted = request.getHeader("Accept");
    return accepted != null && accepted.contains("text/html");
  }

  private static void head(HttpServletRequest request, HttpServletResponse response, Asset asset) {
    // An upgrade is seen at once; a reload costs nothing but asking.
    response.setHeader("Cache-Control", "no-cache");
    response.setHeader("Vary", "Accept-Encoding");
    response.setHeader("Content-Security-Policy", POLICY);
    response.setHeader("Referrer-Policy", "same-origin");
    // Of documents alone. With code, of which there are seventy files, they would be 8 kB a visit.
    if (asset.type.startsWith("text/html")) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    }
    if (request.isSecure()) {
      response.setHeader("Strict-Transport-Security", "max-age=31536000");
    }
  }

  private @Nullable Asset find(String path) throws IOException {
    if (TYPES.containsKey(path.substring(path.lastIndexOf('.') + 1))) {
      return file(path);
    }
    var page = path.split("/", 3)[1];
    var module = "/pages/" + (page.isEmpty() ? "dashboard" : page) + ".js";
    return document(PAGE.matcher(page).matches() && file(module) != null ? module : null);
  }

  private @Nullable Asset file(String name) throws IOException {
    var kept = known.get(name);
    if (kept != null) {
      return kept;
    }
    try (var from = open(name)) {
      if (from == null) {
        return null;
      }
      var ending = name.substring(name.lastIndexOf('.') + 1);
      var plain = from.readAllBytes();
      var isOurCode = !name.startsWith("/lib/") && CODE.contains(ending);
      var asset = asset(isOurCode && folder == null ? withoutComments(plain) : plain, ending);
      keep(name, asset);
      return asset;
    }
  }

  /**
   * The document of a page: {@code index.html}, which also names what the page will load.
   *
   * @param module of the page; null if there is no such page
   */
  private @Nullable Asset document(@Nullable String module) throws IOException {
    var key = "document of " + module;
    var kept = known.get(key);
    if (kept != null) {
      return kept;
    }
    var index = file(INDEX);
    if (index == null) {
      return null;
    }
    var links = new ModuleLinks(this::text);
    var head = new StringBuilder();
    if (module != null) {
      var sheet = module.replace(".js", ".css");
      if (file(sheet) != null) {
        head.append("<link rel=\"stylesheet\" href=\"/evento/console" + sheet + "\">\n");
      }
    }
    var roots = module == null ? List.of(PROGRAM) : List.of(PROGRAM, module);
    head.append(ModuleLinks.lines(links.closure(roots)));
    var text = new String(index.plain, StandardCharsets.UTF_8);
    var asset =
        asset(text.replace("</head>", head + "</head>").getBytes(StandardCharsets.UTF_8), "html");
    keep(key, asset);
    return asset;
  }

  private @Nullable String text(String name) {
    try {
      var asset = file(name);
      return asset == null ? null : new String(asset.plain, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private void keep(String name, Asset asset) {
    if (folder == null) {
      known.put(name, asset);
    }
  }

  private @Nullable InputStream open(String name) throws IOException {
    var inFolder = folder == null ? null : folder.resolve(name.substring(1));
    return inFolder != null && Files.isRegularFile(inFolder)
        ? Files.newInputStream(inFolder)
        : getServletContext().getResourceAsStream("/console" + name);
  }

  /** Comments are for whoever reads the sources; a browser would load a tenth more for them. */
  private static byte[] withoutComments(byte[] code) {
    var text = new String(code, StandardCharsets.UTF_8);
    return COMMENTS.matcher(text).replaceAll("").getBytes(StandardCharsets.UTF_8);
  }

  private static Asset asset(byte[] plain, String ending) throws IOException {
    var zipped = zip(plain);
    return new Asset(
        plain,
        zipped.length < plain.length ? zipped : null,
        '"' + hash(plain) + '"',
        TYPES.getOrDefault(ending, "text/plain; charset=utf-8"));
  }

  private static byte[] zip(byte[] plain) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var to =
        new GZIPOutputStream(bytes) {
          {
            def.setLevel(Deflater.BEST_COMPRESSION);
          }
        }) {
      to.write(plain);
    }
    return bytes.toByteArray();
  }

  private static String hash(byte[] plain) {
    try {
      var all = MessageDigest.getInstance("SHA-256").digest(plain);
      return HexFormat.of().formatHex(all, 0, 16);
    } catch (NoSuchAlgorithmException absent) {
      throw new IllegalStateException(absent);
    }
  }
}
