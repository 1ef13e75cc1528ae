package io.evento.scenario.access;

import io.evento.scenario.fixture.Cluster;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The walk on the server that the Maven profile names. */
@Tag("another-server")
class AccessOnAnotherServerIT extends AccessWalk {
  @RegisterExtension static final Cluster cluster = Cluster.securedOnAnotherServer();

  @Override
  Cluster cluster() {
    return cluster;
  }
}
