package io.evento.server.security;

import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.security.oidc.OidcSignIns;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What a node has that lets people and bundles in. */
final class RightsNode implements AutoCloseable {
  static final Caller ADMIN =
      new Caller(Caller.Kind.USER, "root", Role.implied("admin"), List.of(), null, "127.0.0.1");

  final Threads threads = new Threads(Thread::new);
  final Database database;
  final OpenMode mode;
  final Grants grants;
  final AuditLog audit;
  final SignIns signIns;
  final Administration administration;
  final Setup setup;
  final OidcSignIns oidc;

  RightsNode(TestDatabase where, String name) {
    this(where, name, ServerConfig.Security.ON);
  }

  RightsNode(TestDatabase where, String name, ServerConfig.Security security) {
    this(where, name, security, InstantSource.system());
  }

  RightsNode(TestDatabase where, String name, ServerConfig.Security security, InstantSource clock) {
    var standard = NodeConfig.of(where, name);
    var config =
        new ServerConfig(
            standard.node(),
            standard.database(),
            standard.link(),
            standard.http(),
            standard.webSocket(),
            security);
    database = new Database(config);
    mode = new OpenMode(config);
    grants = new Grants(database, threads, mode);
    audit = new AuditLog(database, Setting::standard, config, threads, new Metrics());
    var table = new PrincipalTable(database);
    signIns = new SignIns(table, grants, audit, config, threads);
    administration = new Administration(table, signIns, grants, config, threads);
    setup = new Setup(table, signIns, grants, audit, config, threads);
    oidc = new OidcSignIns(config, signIns, audit, threads, clock, Duration.ofSeconds(2));
    grants.start();
  }

  static <T> T done(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof RuntimeException said) {
        throw said;
      }
      throw failed;
    } catch (TimeoutException late) {
      throw new AssertionError("no answer", late);
    }
  }

  @Override
  public void close() {
    grants.stop();
    threads.stop();
    database.close();
  }
}
