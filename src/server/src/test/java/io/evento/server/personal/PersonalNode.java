package io.evento.server.personal;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.PersonalMessage.Given;
import io.evento.protocol.PersonalMessage.Keys;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.config.PersonalConfig;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.command.Appends;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.security.Caller;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** This room of one node, as the server wires it. */
final class PersonalNode implements AutoCloseable {
  private static final List<Component> HOSTED =
      List.of(
          new Component(
              ComponentKind.AGGREGATE,
              "Account",
              0,
              "bank",
              List.of(),
              List.of(new EventType("Opened", null)),
              List.of(),
              null,
              null));

  final RoutingNode node;
  final Erasures erasures;
  final SubjectKeys keys;

  /** Subjects that its bundles were told to be erased. */
  final List<String> told = new CopyOnWriteArrayList<>();

  /** Of the setting that bounds how many keys one credential makes in a minute. */
  volatile int keysMax = 1_000;

  private final EntityManagers managers;

  PersonalNode(TestDatabase where, String name, PersonalConfig config) {
    node = RoutingNode.up(where, name);
    managers = new EntityManagers(node.database);
    var appends =
        new Appends(
            node.availability,
            StandardSettings.of(node.database, managers, node.threads),
            node.catalog,
            node.store.appendConditions,
            node.store.order,
            node.store.streams,
            new CommandOutcomes(node.store.outcomes, node.threads),
            new Shares(Setting::standard),
            node.threads,
            new Metrics());
    erasures =
        new Erasures(
            config,
            NodeConfig.of(where, name),
            node.database,
            node.store.snapshots,
            appends,
            node.store.follower,
            node.threads);
    erasures.onErased(told::addAll);
    keys = new SubjectKeys(node.database, node.catalog, erasures, setting -> keysMax, node.threads);
  }

  static PersonalConfig config(Path masterKeys, Path erasures) {
    return new PersonalConfig(Optional.of(masterKeys), Optional.of(erasures));
  }

  PersonalNode start() throws IOException {
    erasures.start();
    return this;
  }

  Given make(String... subjects) {
    return make(Caller.developer(""), "Account", subjects);
  }

  Given find(String... subjects) {
    return find(Caller.developer(""), subjects);
  }

  /** For who hosts components in context {@code bank} alone. */
  Given make(Caller caller, @Nullable String type, String... subjects) {
    return StoreNode.await(
        keys.give(caller, HOSTED, new Keys(UUID.randomUUID(), List.of(subjects), true, type)));
  }

  Given find(Caller caller, String... subjects) {
    return StoreNode.await(
        keys.give(caller, HOSTED, new Keys(UUID.randomUUID(), List.of(subjects), false, null)));
  }

  @Override
  public void close() {
    managers.close();
    node.close();
  }
}
