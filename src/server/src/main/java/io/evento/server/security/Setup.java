package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import jakarta.inject.Inject;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How a cluster comes to its first administrator, once: by the password that an operator put into a
 * file for the node, or by a code that the node puts into a file for the operator. There is never a
 * password that nobody chose.
 *
 * <p>One node makes the code, all take it, and it lasts a quarter of an hour; then one of them
 * makes another.
 */
@NodeScoped
public class Setup {
  private static final Logger LOG = System.getLogger(Setup.class.getName());
  private static final Duration VALID = Duration.ofMinutes(15);
  private static final int CODE_BYTES = 16;
  private static final long AGAIN_SECONDS = 10;
  private static final String OWNER_ALONE = "rw-------";

  private final PrincipalTable table;
  private final SignIns signIns;
  private final Grants grants;
  private final AuditLog audit;
  private final ServerConfig config;
  private final Threads threads;
  private final ExecutorService worker;
  private boolean isTold; // of the worker

  @Inject
  Setup(
      PrincipalTable table,
      SignIns signIns,
      Grants grants,
      AuditLog audit,
      ServerConfig config,
      Threads threads) {
    this.table = table;
    this.signIns = signIns;
    this.grants = grants;
    this.audit = audit;
    this.config = config;
    this.threads = threads;
    worker = threads.pool("setup", 1, 2);
  }

  /** Offers a way, and goes on until there is an administrator; not where everybody may enter. */
  public void start() {
    if (!config.security().isOpen()) {
      again(0);
    }
  }

  private void again(long seconds) {
    threads.timer().schedule(this::submit, seconds, TimeUnit.SECONDS);
  }

  private void submit() {
    try {
      worker.execute(
          () -> {
            try {
              if (offer()) {
                return;
              }
            } catch (IOException | RuntimeException failure) {
              LOG.log(Level.WARNING, "no way to a first administrator yet, tried again", failure);
            }
            again(AGAIN_SECONDS);
          });
    } catch (RejectedExecutionException stopping) {
      LOG.log(Level.DEBUG, "the node stops before its setup");
    }
  }

  /**
   * @return whether there is an administrator
   */
  private boolean offer() throws IOException {
    var file = config.security().setupFile().orElse(null);
    if (grants.isArmed()) {
      if (file != null) {
        Files.deleteIfExists(file);
      }
      return true;
    }
    var password = config.security().adminPasswordFile().orElse(null);
    if (password != null) {
      make(password);
      return true;
    }
    if (file == null) {
      if (!isTold) {
        LOG.log(
            Level.WARNING,
            "there is no administrator, so nobody can sign in: set evento.setup-file or"
                + " evento.admin.password-file");
        isTold = true;
      }
      return false;
    }
    writeCode(file);
    return false;
  }

  private void make(Path from) throws IOException {
    var name = config.security().adminName();
    Administration.checkUserName(name);
    var password = Files.readString(from).strip();
    Passwords.check("evento.admin.password-file", password);
    var said =
        table.firstAdministrator(
            null, name, Passwords.keep(password), new Actor("", config.node().name(), ""));
    grants.refresh();
    LOG.log(Level.INFO, () -> "first administrator name=" + name + " said=" + said);
  }

  /** The file is whole before the code counts, and nobody but its owner ever could read it. */
  private void writeCode(Path file) throws IOException {
    var code = Token.secret(CODE_BYTES);
    var directory = file.toAbsolutePath().getParent();
    var draft =
        Files.createTempFile(
            directory,
            ".evento",
            null,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ALONE)));
    try {
      Files.writeString(draft, code + "\n");
      var said = table.makeSetupCode(Token.hash(code), VALID, config.node().name());
      if (said.equals("made")) {
        Files.move(
            draft, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        LOG.log(
            Level.WARNING,
            () ->
                "there is no administrator: POST /evento/api/setup with the code in this file makes"
                    + " one file="
                    + file
                    + " valid="
                    + VALID);
      } else if (said.equals("exists") && !isTold) {
        LOG.log(Level.WARNING, "there is no administrator, and a setup code of another node");
      }
      isTold = true;
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  /**
   * Makes the first administrator.
   *
   * @return fails with {@code forbidden} for a wrong code or one that is over, with {@code
   *     conflict} if there is one
   */
  public CompletionStage<Void> administrator(
      @Nullable String code, String name, String password, String address) {
    if (code == null || code.isBlank()) {
      throw EventoException.invalid("/code", "is required");
    }
    Administration.checkUserName(name);
    Passwords.check("/password", password);
    if (grants.isArmed()) {
      throw new EventoException(ErrorCode.CONFLICT, "there is an administrator already");
    }
    var from = new Actor("setup code", config.node().name(), address);
    var hash = Token.hash(code.strip());
    return signIns
        .keep(password)
        .thenApplyAsync(kept -> table.firstAdministrator(hash, name, kept, from), worker)
        .thenCompose(
            said -> {
              check(said, from);
              return grants.everywhere();
            });
  }

  private void check(String said, Actor from) {
    if (said.equals("wrong")) {
      audit.refused(from.who(), from.address(), "POST /api/setup", ErrorCode.FORBIDDEN);
      throw new EventoException(ErrorCode.FORBIDDEN, "the code is wrong or its time is over");
    }
    if (!said.equals("done")) {
      throw new EventoException(ErrorCode.CONFLICT, "there is an administrator already");
    }
  }
}
