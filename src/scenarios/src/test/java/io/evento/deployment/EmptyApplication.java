package io.evento.deployment;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** An application of nothing, to see what its server itself keeps of one. */
@WebListener
public class EmptyApplication implements ServletContextListener {
  private static final Logger LOG = System.getLogger(EmptyApplication.class.getName());

  @Override
  public void contextInitialized(ServletContextEvent event) {
    LOG.log(Level.INFO, "empty application started");
  }
}
