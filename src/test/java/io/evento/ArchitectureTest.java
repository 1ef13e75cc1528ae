package io.evento;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.evento", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String SERVER = "io.evento.server";

  @ArchTest
  static final ArchRule the_protocol_knows_nobody =
      noClasses()
          .that()
          .resideInAPackage("io.evento.protocol..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.evento.bundle..", SERVER + "..");

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
              "javax.sql..",
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
          .resideInAnyPackage("io.evento.testkit..", "io.evento.launcher..");

  @ArchTest
  static final ArchRule rooms_have_no_cycles =
      slices().matching(SERVER + ".(*)..").should().beFreeOfCycles();

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
          .layer("gateway")
          .definedBy(SERVER + ".gateway..")
          .layer("console")
          .definedBy(SERVER + ".console..")
          .whereLayer("console")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("gateway")
          .mayOnlyBeAccessedByLayers("console")
          .whereLayer("consumer")
          .mayOnlyBeAccessedByLayers("gateway", "console")
          .whereLayer("aggregate")
          .mayOnlyBeAccessedByLayers("gateway", "console")
          .whereLayer("routing")
          .mayOnlyBeAccessedByLayers("aggregate", "consumer", "gateway", "console")
          .whereLayer("eventstore")
          .mayOnlyBeAccessedByLayers("routing", "aggregate", "consumer", "gateway", "console")
          .whereLayer("catalog")
          .mayOnlyBeAccessedByLayers(
              "eventstore", "routing", "aggregate", "consumer", "gateway", "console")
          .whereLayer("cluster")
          .mayOnlyBeAccessedByLayers(
              "eventstore", "routing", "aggregate", "consumer", "gateway", "console");

  @ArchTest
  static final ArchRule nothing_static_changes =
      fields().that().areStatic().and().areNotPrivate().should().beFinal();

  @ArchTest
  static final ArchRule only_doors_and_console_know_jax_rs =
      noClasses()
          .that()
          .resideOutsideOfPackages(SERVER + ".gateway..", SERVER + ".console..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jakarta.ws.rs..", "jakarta.websocket..");
}
