package io.evento.bundle.container;

/**
 * Gives the instances on which handlers of services, projectors, projections, sagas and observers
 * are called. Aggregates and boundaries are their own state and never asked for. Thread-safe.
 */
@FunctionalInterface
public interface ComponentFactory {
  /**
   * An instance for one call of one handler.
   *
   * @param component the class that was registered
   * @return an instance of it, or of a class derived from it, such as a proxy; the same one each
   *     time if that is what the container does
   */
  Object instance(Class<?> component);

  /**
   * The call has ended, well or not; a stage that the handler returned may still be open.
   *
   * @param instance what {@link #instance} gave
   */
  default void release(Class<?> component, Object instance) {}
}
