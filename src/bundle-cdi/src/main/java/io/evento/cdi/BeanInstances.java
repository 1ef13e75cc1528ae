package io.evento.cdi;

import io.evento.bundle.container.ComponentFactory;
import jakarta.enterprise.context.spi.CreationalContext;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The components as CDI gives them: of a bean with a normal scope its proxy, which finds the
 * instance of the active scope at each call; of any other bean one instance for all of them.
 */
final class BeanInstances implements ComponentFactory, AutoCloseable {
  private final BeanManager manager;
  private final Map<Class<?>, Bean<?>> beans;
  private final Map<Class<?>, Object> references = new ConcurrentHashMap<>();
  private final List<CreationalContext<?>> contexts = new ArrayList<>();

  BeanInstances(BeanManager manager, Map<Class<?>, Bean<?>> beans) {
    this.manager = manager;
    this.beans = Map.copyOf(beans);
  }

  Set<Class<?>> classes() {
    return beans.keySet();
  }

  @Override
  public Object instance(Class<?> component) {
    var known = references.get(component);
    return known == null ? make(component) : known;
  }

  private synchronized Object make(Class<?> component) {
    var known = references.get(component);
    if (known != null) {
      return known;
    }
    var bean = beans.get(component);
    if (bean == null) {
      throw new IllegalStateException(component.getName() + " is no bean of this application");
    }
    var context = manager.createCreationalContext(bean);
    var made = manager.getReference(bean, component, context);
    contexts.add(context);
    references.put(component, made);
    return made;
  }

  @Override
  public synchronized void close() {
    references.clear();
    contexts.forEach(CreationalContext::release);
    contexts.clear();
  }
}
