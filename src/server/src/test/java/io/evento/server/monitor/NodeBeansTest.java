package io.evento.server.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.gateway.WholeNode;
import io.evento.testing.PostgresFixture;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeBeansTest {
  private final WholeNode node =
      WholeNode.start(PostgresFixture.shared().migrated(), "jmx-1", Map.of(), Map.of());
  private final NodeBeans beans = node.get(NodeBeans.class);

  @AfterEach
  void stop() {
    beans.stop();
    node.close();
  }

  @Test
  void a_console_sees_the_node_until_it_is_undeployed() throws Exception {
    var server = ManagementFactory.getPlatformMBeanServer();
    var name = new ObjectName("io.evento:type=Node,name=jmx-1");
    beans.start();
    // Of a deployment that left its own behind.
    beans.start();

    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> server.getAttribute(name, "Ready").equals(true));
    assertThat(server.getAttribute(name, "State")).isEqualTo("up");
    assertThat(server.getAttribute(name, "Head")).isEqualTo(0L);
    assertThat((String) server.getAttribute(name, "Epoch")).isNotEmpty();
    assertThat((long) server.getAttribute(name, "SinceHeartbeatMillis")).isBetween(0L, 5_000L);
    for (var attribute : server.getMBeanInfo(name).getAttributes()) {
      assertThat(server.getAttribute(name, attribute.getName()))
          .as(attribute.getName())
          .isNotNull();
      assertThat(attribute.isWritable()).isFalse();
    }

    beans.stop();
    assertThat(server.isRegistered(name)).isFalse();
  }
}
