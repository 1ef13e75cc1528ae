package io.evento;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.CanBeAnnotated.Predicates.annotatedWith;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.evento.server.console.AdminCalls;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.deadletter.DeadLetterRow;
import io.evento.server.consumer.delivery.LostEvents;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.consumer.live.LiveQuery;
import io.evento.server.consumer.live.SubscriptionSink;
import io.evento.server.consumer.live.UpdateForwarder;
import io.evento.server.consumer.operation.Checkpoints;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.consumer.operation.DeadLetters;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.operation.Retirement;
import io.evento.server.consumer.operation.SubjectCopies;
import io.evento.server.consumer.operation.VersionSwitch;
import io.evento.server.consumer.operation.WaitingCommands;
import io.evento.server.consumer.outbox.Schedules;
import io.evento.server.consumer.segment.ConsumerRow;
import io.evento.server.consumer.segment.ConsumerSegmentRow;
import io.evento.server.consumer.shadow.Comparisons;
import io.evento.server.consumer.step.CommandId;
import io.evento.server.security.Needs;

@AnalyzeClasses(packages = "io.evento", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String SERVER = "io.evento.server";
  private static final String CONSUMER = SERVER + ".consumer";

  @ArchTest
  static final ArchRule the_protocol_knows_nobody =
      noClasses()
          .that()
          .resideInAPackage("io.evento.protocol..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.evento.bundle..", SERVER + "..");

  @ArchTest
  static final ArchRule the_server_knows_the_protocol_and_not_the_sdk =
      noClasses()
          .that()
          .resideInAPackage(SERVER + "..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.evento.bundle..");

  @ArchTest
  static final ArchRule the_sdk_needs_the_jdk_and_jackson_alone =
      classes()
          .that()
          .resideInAnyPackage("io.evento.bundle..", "io.evento.protocol..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "io.evento.bundle..",
              "io.evento.protocol..",
              "java..",
              "javax.management..",
              "javax.net.ssl..",
              "javax.sql..",
              "javax.crypto..",
              "com.fasterxml.jackson..",
              "org.jspecify..");

  @ArchTest
  static final ArchRule the_test_kit_needs_the_sdk_alone =
      classes()
          .that()
          .resideInAPackage("io.evento.testkit")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "io.evento.testkit",
              "io.evento.bundle..",
              "io.evento.protocol..",
              "java..",
              "javax.sql..",
              "com.fasterxml.jackson..",
              "org.jspecify..");

  @ArchTest
  static final ArchRule an_embedded_cluster_needs_junit_and_a_postgresql_beside_the_sdk =
      classes()
          .that()
          .resideInAnyPackage("io.evento.testkit.cluster..", "io.evento.launcher..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "io.evento.testkit..",
              "io.evento.launcher..",
              "io.evento.bundle..",
              "io.evento.protocol..",
              "java..",
              "javax.sql..",
              "org.junit.jupiter.api..",
              "io.zonky.test.db.postgres.embedded..",
              "org.jspecify..");

  @ArchTest
  static final ArchRule nothing_that_runs_in_production_knows_the_test_kit =
      noClasses()
          .that()
          .resideInAnyPackage("io.evento.bundle..", "io.evento.protocol..", SERVER + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.evento.testkit..",
              "io.evento.launcher..",
              "io.evento.cluster..",
              "io.evento.testing..");

  @ArchTest
  static final ArchRule rooms_have_no_cycles =
      slices().matching(SERVER + ".(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule packages_have_no_cycles_at_any_depth =
      slices().matching("io.evento.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule rooms_know_only_those_below_them =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage(SERVER + "..")
          .layer("config")
          .definedBy(SERVER + ".config..")
          .layer("telemetry")
          .definedBy(SERVER + ".telemetry..")
          .layer("persistence")
          .definedBy(SERVER + ".persistence..")
          .layer("setting")
          .definedBy(SERVER + ".setting..")
          .layer("security")
          .definedBy(SERVER + ".security..")
          .layer("cluster")
          .definedBy(SERVER + ".cluster..")
          .layer("catalog")
          .definedBy(SERVER + ".catalog..")
          .layer("eventstore")
          .definedBy(SERVER + ".eventstore..")
          .layer("routing")
          .definedBy(SERVER + ".routing..")
          .layer("aggregate")
          .definedBy(SERVER + ".aggregate..")
          .layer("consumer")
          .definedBy(SERVER + ".consumer..")
          .layer("personal")
          .definedBy(SERVER + ".personal..")
          .layer("verify")
          .definedBy(SERVER + ".verify..")
          .layer("monitor")
          .definedBy(SERVER + ".monitor..")
          .layer("gateway")
          .definedBy(SERVER + ".gateway..")
          .layer("console")
          .definedBy(SERVER + ".console..")
          .layer("node")
          .definedBy(SERVER + ".node..")
          .whereLayer("security")
          .mayOnlyBeAccessedByLayers(
              "eventstore",
              "routing",
              "aggregate",
              "consumer",
              "personal",
              "verify",
              "gateway",
              "console",
              "node")
          .whereLayer("node")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("console")
          .mayOnlyBeAccessedByLayers("node")
          .whereLayer("gateway")
          .mayOnlyBeAccessedByLayers("console", "node")
          .whereLayer("monitor")
          .mayOnlyBeAccessedByLayers("gateway", "console", "node")
          .whereLayer("verify")
          .mayOnlyBeAccessedByLayers("monitor", "console", "node")
          .whereLayer("personal")
          .mayOnlyBeAccessedByLayers("gateway", "console", "node")
          .whereLayer("consumer")
          .mayOnlyBeAccessedByLayers("verify", "monitor", "gateway", "console", "node")
          .whereLayer("aggregate")
          .mayOnlyBeAccessedByLayers("verify", "gateway", "console", "node")
          .whereLayer("routing")
          .mayOnlyBeAccessedByLayers(
              "aggregate", "consumer", "personal", "monitor", "gateway", "console", "node")
          .whereLayer("eventstore")
          .mayOnlyBeAccessedByLayers(
              "routing",
              "aggregate",
              "consumer",
              "personal",
              "verify",
              "monitor",
              "gateway",
              "console",
              "node")
          .whereLayer("catalog")
          .mayOnlyBeAccessedByLayers(
              "eventstore",
              "routing",
              "aggregate",
              "consumer",
              "personal",
              "verify",
              "gateway",
              "console",
              "node")
          .whereLayer("cluster")
          .mayOnlyBeAccessedByLayers(
              "eventstore",
              "routing",
              "aggregate",
              "consumer",
              "verify",
              "monitor",
              "gateway",
              "console",
              "node");

  @ArchTest
  static final ArchRule the_rooms_of_consumers_know_only_those_below_them =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage(CONSUMER + "..")
          .layer("segment")
          .definedBy(CONSUMER + ".segment")
          .layer("letters and outbox")
          .definedBy(CONSUMER + ".deadletter", CONSUMER + ".outbox")
          .layer("delivery and shadow")
          .definedBy(CONSUMER + ".delivery", CONSUMER + ".shadow")
          .layer("step, lease and watermark")
          .definedBy(CONSUMER + ".step", CONSUMER + ".lease", CONSUMER + ".watermark")
          .layer("operation")
          .definedBy(CONSUMER + ".operation")
          .layer("doors")
          .definedBy(CONSUMER, CONSUMER + ".live")
          .whereLayer("segment")
          .mayNotAccessAnyLayer()
          .whereLayer("letters and outbox")
          .mayOnlyAccessLayers("segment")
          .whereLayer("delivery and shadow")
          .mayOnlyAccessLayers("segment", "letters and outbox")
          .whereLayer("step, lease and watermark")
          .mayOnlyAccessLayers("segment", "letters and outbox", "delivery and shadow")
          .whereLayer("doors")
          .mayNotBeAccessedByAnyLayer();

  /** The compiler cannot keep the insides of a room that is several packages: this does. */
  @ArchTest
  static final ArchRule who_is_outside_enters_the_room_of_consumers_by_its_doors =
      noClasses()
          .that()
          .resideOutsideOfPackage(CONSUMER + "..")
          .should()
          .dependOnClassesThat(
              resideInAPackage(CONSUMER + "..")
                  .and(
                      not(
                          belongToAnyOf(
                              Consumers.class,
                              Checkpoints.class,
                              DeadLetterRow.class,
                              LostEvents.class,
                              LiveQueries.class,
                              LiveQuery.class,
                              SubscriptionSink.class,
                              UpdateForwarder.class,
                              ConsumerMonitor.class,
                              DeadLetters.class,
                              Operations.class,
                              SubjectCopies.class,
                              Retirement.class,
                              VersionSwitch.class,
                              WaitingCommands.class,
                              Schedules.class,
                              ConsumerRow.class,
                              ConsumerSegmentRow.class,
                              CommandId.class,
                              Comparisons.class))));

  @ArchTest
  static final ArchRule nothing_static_changes = fields().that().areStatic().should().beFinal();

  @ArchTest
  static final ArchRule every_method_of_a_resource_says_who_may_use_it =
      methods()
          .that(
              annotatedWith("jakarta.ws.rs.GET")
                  .or(annotatedWith("jakarta.ws.rs.POST"))
                  .or(annotatedWith("jakarta.ws.rs.PUT"))
                  .or(annotatedWith("jakarta.ws.rs.DELETE"))
                  .or(annotatedWith("jakarta.ws.rs.PATCH"))
                  .or(annotatedWith("jakarta.ws.rs.HEAD"))
                  .or(annotatedWith("jakarta.ws.rs.OPTIONS")))
          .should()
          .beAnnotatedWith(Needs.class);

  /** Threads of their own, so that pages and operators do not wait for each other. */
  @ArchTest
  static final ArchRule who_looks_takes_no_thread_of_those_who_change_something =
      methods()
          .that(annotatedWith("jakarta.ws.rs.GET"))
          .should(
              new ArchCondition<>("call view of AdminCalls instead of answer") {
                @Override
                public void check(JavaMethod method, ConditionEvents events) {
                  method.getMethodCallsFromSelf().stream()
                      .filter(call -> call.getTargetOwner().isEquivalentTo(AdminCalls.class))
                      .filter(call -> call.getName().equals("answer"))
                      .forEach(
                          call ->
                              events.add(
                                  SimpleConditionEvent.violated(call, call.getDescription())));
                }
              });

  @ArchTest
  static final ArchRule only_doors_and_console_know_jax_rs =
      noClasses()
          .that()
          .resideOutsideOfPackages(SERVER + ".gateway..", SERVER + ".console..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jakarta.ws.rs..", "jakarta.websocket..");
}
