package io.evento.scenario.access;

import io.evento.scenario.fixture.Cluster;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The same on Payara Micro, as the launcher runs it. */
class ForeignPagesIT extends ForeignPages {
  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Override
  protected Cluster cluster() {
    return cluster;
  }
}
