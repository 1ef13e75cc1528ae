package io.evento.it;

import io.evento.testing.FreePorts;
import io.evento.testing.PostgresFixture;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A database of its own for the server under test. Must be named before Arquillian's extension,
 * which reads {@code arquillian.xml} and the properties that it asks for only once.
 */
final class MicroDatabase implements BeforeAllCallback {

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    var database = PostgresFixture.shared().empty();
    System.setProperty(
        "evento.it.options",
        String.join(
            " ",
            List.of(
                "-Devento.node-name=micro",
                "-Devento.node.bind=127.0.0.1",
                "-Devento.security=open",
                "-Devento.link.port=" + FreePorts.one(),
                "-Devento.link.fd-port=" + FreePorts.one(),
                "-Devento.db.url=" + database.url(),
                "-Devento.db.user=" + PostgresFixture.SERVER,
                "-Devento.db.owner.user=" + PostgresFixture.OWNER,
                // Never asked for: the embedded server trusts this machine.
                "-Devento.db.password=none",
                "-Devento.db.owner.password=none")));
  }
}
