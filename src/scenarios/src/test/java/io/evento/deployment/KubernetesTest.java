package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import io.evento.server.persistence.MigrationJob;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** What can be said of the files for Kubernetes without a cluster: that it would take them. */
class KubernetesTest {
  private static final Path BASE = Path.of("docker/kubernetes");
  private static final Path MONITORING = BASE.resolve("monitoring");

  private static final Map<String, Class<?>> KINDS =
      Map.of(
          "v1 Namespace", Namespace.class,
          "v1 ConfigMap", ConfigMap.class,
          "v1 ServiceAccount", ServiceAccount.class,
          "v1 Service", Service.class,
          "apps/v1 StatefulSet", StatefulSet.class,
          "batch/v1 Job", Job.class,
          "policy/v1 PodDisruptionBudget", PodDisruptionBudget.class,
          "networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class,
          "monitoring.coreos.com/v1 ServiceMonitor", ServiceMonitor.class);

  /** Refuses a field that the model does not have, which it would put aside by itself. */
  private static final ObjectMapper STRICT =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .setAnnotationIntrospector(
              new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated member) {
                  return false;
                }

                @Override
                public Boolean hasAnyGetter(Annotated member) {
                  return false;
                }

                @Override
                public com.fasterxml.jackson.annotation.JsonIgnoreProperties.Value
                    findPropertyIgnoralByName(MapperConfig<?> config, Annotated member) {
                  return com.fasterxml.jackson.annotation.JsonIgnoreProperties.Value.empty();
                }
              });

  private static Stream<JsonNode> elements(JsonNode parent) {
    return StreamSupport.stream(parent.spliterator(), false);
  }

  private static List<JsonNode> documents(Path folder) {
    var found = new ArrayList<JsonNode>();
    for (var file : MonitoringFiles.yaml(folder.resolve("kustomization.yaml")).path("resources")) {
      try (var reader = Files.newBufferedReader(folder.resolve(file.asText()))) {
        for (var document : new Yaml().loadAll(reader)) {
          found.add(new ObjectMapper().valueToTree(document));
        }
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    return found;
  }

  private static JsonNode one(String kind, String name) {
    return documents(BASE).stream()
        .filter(document -> document.path("kind").asText().equals(kind))
        .filter(document -> document.at("/metadata/name").asText().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
  }

  private static JsonNode pod() {
    return one("StatefulSet", "evento").at("/spec/template/spec");
  }

  private static JsonNode node() {
    return pod().path("containers").path(0);
  }

  private static void read(JsonNode document) throws JsonProcessingException {
    var kind = document.path("apiVersion").asText() + " " + document.path("kind").asText();
    STRICT.treeToValue(document, Objects.requireNonNull(KINDS.get(kind), kind));
  }

  @Test
  void each_document_is_one_of_its_kind_without_a_field_too_many() throws Exception {
    var all = Stream.of(BASE, MONITORING).flatMap(folder -> documents(folder).stream()).toList();
    assertThat(all).hasSizeGreaterThan(8);
    for (var document : all) {
      read(document);
    }
  }

  @Test
  void a_field_that_is_misspelt_is_found() {
    var wrong = one("StatefulSet", "evento");
    ((com.fasterxml.jackson.databind.node.ObjectNode) wrong.at("/spec/template/spec"))
        .put("terminationGraceSeconds", 3);
    assertThatThrownBy(() -> read(wrong)).hasMessageContaining("terminationGraceSeconds");
  }

  @Test
  void every_file_is_a_resource_and_kubectl_builds_it() throws Exception {
    for (var folder : List.of(BASE, MONITORING)) {
      try (var files = Files.list(folder)) {
        assertThat(
                files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yaml") && !name.equals("kustomization.yaml")))
            .containsExactlyInAnyOrderElementsOf(
                elements(
                        MonitoringFiles.yaml(folder.resolve("kustomization.yaml"))
                            .path("resources"))
                    .map(JsonNode::asText)
                    .toList());
      }
    }
    var kubectl = Programs.find("kubectl");
    assumeTrue(kubectl.isPresent(), "kubectl is not installed");
    for (var folder : List.of(BASE, MONITORING)) {
      assertThat(Programs.accepts(kubectl.get(), folder, Map.of(), List.of("kustomize", ".")))
          .contains("kind: Service");
    }
  }

  @Test
  void selectors_find_the_nodes_and_ports_have_the_names_that_are_asked_for() {
    var labels = one("StatefulSet", "evento").at("/spec/template/metadata/labels");
    assertThat(one("StatefulSet", "evento").at("/spec/selector/matchLabels")).isEqualTo(labels);
    assertThat(one("PodDisruptionBudget", "evento").at("/spec/selector/matchLabels"))
        .isEqualTo(labels);
    for (var name : List.of("evento", "evento-nodes")) {
      assertThat(one("Service", name).at("/spec/selector")).isEqualTo(labels);
      assertThat(one("Service", name).at("/spec/ports/0/targetPort").asText()).isEqualTo("http");
    }
    assertThat(one("StatefulSet", "evento").at("/spec/serviceName").asText())
        .isEqualTo("evento-nodes");
    assertThat(one("Service", "evento-nodes").at("/spec/clusterIP").asText()).isEqualTo("None");
    var settings = one("ConfigMap", "evento").path("data");
    assertThat(elements(node().path("ports")).map(port -> port.path("containerPort").asInt()))
        .containsExactly(
            8080,
            settings.path("EVENTO_LINK_PORT").asInt(),
            settings.path("EVENTO_LINK_FD_PORT").asInt(),
            settings.path("EVENTO_HEALTH_PORT").asInt());
    var endpoint = documents(MONITORING).get(0).at("/spec/endpoints/0");
    assertThat(endpoint.path("path").asText()).isEqualTo("/evento/api/metrics");
    assertThat(one("Service", "evento-nodes").at("/metadata/labels/evento.io~1nodes").asText())
        .isEqualTo("true");
  }

  @Test
  void a_node_is_not_killed_for_its_database_and_ends_in_its_time() {
    assertThat(node().at("/livenessProbe/httpGet/path").asText()).endsWith("/health/live");
    assertThat(node().at("/startupProbe/httpGet/path").asText()).endsWith("/health/live");
    assertThat(node().at("/readinessProbe/httpGet/path").asText()).endsWith("/health/ready");
    for (var probe : List.of("livenessProbe", "startupProbe", "readinessProbe")) {
      assertThat(node().at("/" + probe + "/httpGet/port").asText()).isEqualTo("health");
    }
    assertThat(pod().path("terminationGracePeriodSeconds").asInt()).isGreaterThanOrEqualTo(30);
    assertThat(node().at("/lifecycle/preStop/exec/command/0").asText()).isEqualTo("sleep");
    assertThat(one("PodDisruptionBudget", "evento").at("/spec/maxUnavailable").asInt())
        .isEqualTo(1);
    assertThat(
            pod()
                .at("/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0")
                .path("topologyKey")
                .asText())
        .isEqualTo("kubernetes.io/hostname");
  }

  @Test
  void no_pod_has_rights_that_it_does_not_need_and_each_has_a_limit_of_memory() {
    var job = one("Job", "evento-migration").at("/spec/template/spec");
    for (var spec : List.of(pod(), job)) {
      assertThat(spec.path("automountServiceAccountToken").asBoolean(true)).isFalse();
      assertThat(spec.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
      assertThat(spec.at("/securityContext/seccompProfile/type").asText())
          .isEqualTo("RuntimeDefault");
      for (var container : spec.path("containers")) {
        var context = container.path("securityContext");
        assertThat(context.path("allowPrivilegeEscalation").asBoolean(true)).isFalse();
        assertThat(context.path("readOnlyRootFilesystem").asBoolean()).isTrue();
        assertThat(context.at("/capabilities/drop/0").asText()).isEqualTo("ALL");
        assertThat(container.at("/resources/limits/memory").asText()).isNotEmpty();
      }
    }
  }

  @Test
  void the_job_alone_has_the_owners_password_and_no_secret_is_in_the_files() throws Exception {
    assertThat(pod().toString()).doesNotContain("evento-owner").doesNotContain("OWNER_PASSWORD");
    var job = one("Job", "evento-migration").at("/spec/template/spec/containers/0");
    assertThat(job.path("command").toString()).contains(MigrationJob.class.getName());
    assertThat(job.path("env").toString()).contains("EVENTO_DB_OWNER_PASSWORD_FILE");
    for (var document : documents(BASE)) {
      assertThat(document.path("kind").asText()).isNotEqualTo("Secret");
      assertThat(document.toString()).doesNotContainPattern("PASSWORD\",\"value");
    }
    assertThat(one("ConfigMap", "evento").at("/data/EVENTO_DB_URL").asText())
        .contains("sslmode=verify-full");
    var image = MonitoringFiles.yaml(BASE.resolve("kustomization.yaml")).at("/images/0/newTag");
    assertThat(Files.readString(Path.of("pom.xml")))
        .containsPattern(
            "(?s)<artifactId>evento-parent</artifactId>\\s*<version>" + image.asText() + "<");
  }
}
