package io.evento.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.launcher.Login;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterPlanTest {

  private final Properties options = new Properties();

  @Test
  void without_options_there_are_three_nodes_two_banks_and_a_database() {
    var plan = plan();

    assertThat(plan.nodes()).isEqualTo(3);
    assertThat(plan.bundles()).isEqualTo(2);
    assertThat(plan.ports()).isEqualTo(new Ports(8080, 8079, 8081, 7801, 7901, 5440, 8090));
    assertThat(plan.database().url()).isEqualTo("jdbc:postgresql://127.0.0.1:5440/evento");
  }

  @Test
  void a_secure_cluster_has_a_place_of_its_own_and_keeps_its_passwords(@TempDir Path project) {
    options.setProperty("cluster.secure", "true");
    var plan = ClusterPlan.from(project, options);

    assertThat(plan.directory()).isEqualTo(project.resolve("target/cluster/secure"));
    assertThat(plan.isSecured()).isTrue();
    assertThat(plan.database().url())
        .contains("?sslmode=verify-full", "&channelBinding=require", "&sslrootcert=");
    var passwords = passwords(plan);
    assertThat(passwords).doesNotHaveDuplicates().allMatch(word -> word.length() > 20);
    assertThat(passwords(ClusterPlan.from(project, options))).isEqualTo(passwords);
    assertThat(new NodePlace(plan, 1).settings().environment())
        .containsEntry("EVENTO_SECURITY", "on")
        .containsEntry("EVENTO_NODE_URL", "wss://127.0.0.1:8081/evento")
        .doesNotContainKeys("EVENTO_DB_PASSWORD", "EVENTO_DB_OWNER_USER");
  }

  private static List<String> passwords(ClusterPlan plan) {
    var database = plan.database();
    return Stream.of(database.owner(), database.server(), database.bank())
        .map(Login::password)
        .toList();
  }

  @Test
  void a_secure_cluster_on_somebody_elses_database_is_refused() {
    options.setProperty("cluster.secure", "true");
    options.setProperty("cluster.jdbc.url", "jdbc:postgresql://db/evento");

    assertThatThrownBy(this::plan).hasMessageStartingWith("cluster.secure brings a PostgreSQL");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  void one_to_eight_nodes_are_accepted(int nodes) {
    options.setProperty("cluster.nodes", Integer.toString(nodes));

    assertThat(plan().nodes()).isEqualTo(nodes);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 9})
  void other_numbers_of_nodes_are_refused(int nodes) {
    options.setProperty("cluster.nodes", Integer.toString(nodes));

    assertThatThrownBy(this::plan).hasMessage("cluster.nodes must be 1 to 8, is " + nodes);
  }

  @Test
  void every_port_can_be_moved() {
    var names = new String[] {"balancer", "control", "node", "link", "fd", "postgres", "bank"};
    for (var i = 0; i < names.length; i++) {
      options.setProperty("cluster.port." + names[i], Integer.toString(1001 + 100 * i));
    }

    assertThat(plan().ports()).isEqualTo(new Ports(1001, 1101, 1201, 1301, 1401, 1501, 1601));
  }

  @Test
  void a_database_of_ones_own_is_entered_with_ones_own_roles() {
    options.setProperty("cluster.jdbc.url", "jdbc:postgresql://db/evento");
    options.setProperty("cluster.jdbc.owner.user", "o");
    options.setProperty("cluster.jdbc.owner.password", "p");

    var database = plan().database();

    assertThat(database.url()).isEqualTo("jdbc:postgresql://db/evento");
    assertThat(database.owner()).isEqualTo(new Login("o", "p"));
    assertThat(database.server().user()).isEqualTo("evento_server");
  }

  @Test
  void the_bank_can_be_left_out() {
    options.setProperty("cluster.bank", "false");

    assertThat(plan().bundles()).isZero();
  }

  @Test
  void no_password_shows_in_a_command_line() {
    var commands = new Commands(plan());

    assertThat(commands.node(1).command()).noneMatch(word -> word.contains("password"));
    assertThat(commands.node(1).environment()).containsEntry("EVENTO_DB_PASSWORD", "server");
  }

  private ClusterPlan plan() {
    return ClusterPlan.from(Path.of("/project"), options);
  }
}
