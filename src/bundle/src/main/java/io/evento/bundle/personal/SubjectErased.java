package io.evento.bundle.personal;

/**
 * A subject was erased; told by the cluster, in the context {@value #CONTEXT}. A projector that
 * keeps something of persons handles it like any other event, and removes that.
 *
 * @param subject its id, as the components of payloads hold it
 */
public record SubjectErased(String subject) {
  /** The context that it is in. */
  public static final String CONTEXT = "evento.personal";
}
