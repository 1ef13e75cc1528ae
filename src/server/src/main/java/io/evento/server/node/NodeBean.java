package io.evento.server.node;

import io.evento.server.persistence.OwnDriver;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import jakarta.ejb.Singleton;
import jakarta.ejb.Startup;
import jakarta.ejb.TransactionManagement;
import jakarta.ejb.TransactionManagementType;
import jakarta.inject.Inject;

/**
 * Starts the node with the application; {@link NodeLifecycle} does it, in order and in its own
 * time.
 */
@Singleton
@Startup
@TransactionManagement(TransactionManagementType.BEAN)
public class NodeBean {
  @Inject private NodeLifecycle start;

  @PostConstruct
  void begin() {
    start.begin();
  }

  /** Before the beans of the application go: they are needed to leave politely. */
  @PreDestroy
  void end() {
    start.end();
    OwnDriver.forget();
  }
}
