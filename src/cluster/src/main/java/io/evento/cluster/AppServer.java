package io.evento.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.PayaraMicro;
import io.evento.launcher.PersonalKeys;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.postgresql.Driver;

/** The application servers that the one WAR runs on, and how each is started in the foreground. */
public enum AppServer {
  PAYARA_MICRO {
    @Override
    void prepare(ClusterPlan plan, Consumer<String> say) throws IOException, InterruptedException {
      var server = server(plan, "payara/pre-boot.asadmin");
      var war = plan.built("evento.war");
      if (!server.isPreparedFor(war)) {
        say.accept("making an archive of the nodes' classes, once for each build");
        server.prepare(war);
      }
    }

    @Override
    Launch launch(NodePlace node) {
      var settings = node.settings();
      var preBoot =
          settings.isOverTls() ? "payara/pre-boot-tls.asadmin" : "payara/pre-boot.asadmin";
      return server(node.plan(), preBoot)
          .launch(settings, node.war(), node.directory(), node.log());
    }

    private static PayaraMicro server(ClusterPlan plan, String preBoot) {
      return new PayaraMicro(
          plan.built("payara-micro.jar"),
          plan.project().resolve(preBoot),
          plan.nodeJvm(),
          plan.built("payara-micro"));
    }
  },

  WILDFLY {
    private static final int HTTP_PORT = 8080;

    @Override
    Launch launch(NodePlace node) {
      return shell(
          node,
          """
          mkdir -p "$DIRECTORY"
          cp -r "$UNPACKED" "$DIRECTORY/home"
          export JBOSS_HOME=$DIRECTORY/home
          "$PROJECT/domain-config/wildfly/configure.sh"
          cp "$EVENTO_WAR" "$JBOSS_HOME/standalone/deployments/evento.war"
          touch "$JBOSS_HOME/standalone/deployments/evento.war.dodeploy"
          exec "$JBOSS_HOME/bin/standalone.sh" -c standalone.xml -b 127.0.0.1 -bmanagement 127.0.0.1 \
            -Djboss.socket.binding.port-offset="$OFFSET"
          """,
          Map.of(
              "PROJECT",
              node.plan().project().toString(),
              "PGJDBC_JAR",
              driver().toString(),
              "EVENTO_DATASOURCE_JNDI",
              "java:/jdbc/evento",
              "UNPACKED",
              node.plan().built("wildfly").toString(),
              "JAVA_OPTS",
              String.join(" ", node.plan().nodeJvm()) + " -Djava.net.preferIPv4Stack=true",
              // The script then passes on what ends it.
              "LAUNCH_JBOSS_IN_BACKGROUND",
              "true",
              "OFFSET",
              Integer.toString(node.settings().port() - HTTP_PORT)));
    }
  },

  PAYARA_SERVER {
    private static final int HTTP_PORT_ABOVE_BASE = 80;

    @Override
    Launch launch(NodePlace node) {
      return shell(
          node,
          """
          trap '"$PAYARA_HOME/bin/asadmin" stop-domain --kill --domaindir "$DOMAIN_DIR" evento; exit' TERM
          "$PROJECT/domain-config/create-domain.sh"
          exec "$PAYARA_HOME/bin/asadmin" start-domain --verbose --domaindir "$DOMAIN_DIR" evento
          """,
          Map.of(
              "PROJECT", node.plan().project().toString(),
              "PAYARA_HOME", node.plan().built("payara6").toString(),
              "PGJDBC_JAR", driver().toString(),
              "DOMAIN_DIR", node.directory().toString(),
              "START", "no",
              "PORT_BASE", Integer.toString(node.settings().port() - HTTP_PORT_ABOVE_BASE)));
    }
  };

  /**
   * Makes what nodes start faster with, if this server can have it and nobody made it.
   *
   * @param say told if that takes its time
   */
  void prepare(ClusterPlan plan, Consumer<String> say) throws IOException, InterruptedException {}

  /** How a node is started; the server has to be prepared before that. */
  abstract Launch launch(NodePlace node);

  /** PostgreSQL's: a pool of the server does not see the one in the WAR. */
  private static Path driver() {
    try {
      return Path.of(Driver.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static Launch shell(NodePlace node, String script, Map<String, String> more) {
    var environment =
        new HashMap<>(PersonalKeys.with(node.settings().environment(), node.directory()));
    environment.putAll(more);
    environment.put("DIRECTORY", node.directory().toString());
    environment.put("EVENTO_WAR", node.war().toString());
    return new Launch(
        List.of("bash", "-e", "-c", script), environment, node.log(), List.of(node.directory()));
  }
}
