package io.evento.bundle.personal;

/**
 * A value cannot be read: its key is not there, though its subject was not erased. Nothing is read
 * in its place, as whoever goes on with that would make it true.
 */
public final class MissingKeyException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  MissingKeyException(String type, String pointer, String subject, int version) {
    super(
        pointer
            + " of a "
            + type
            + " cannot be read: key "
            + version
            + " of the subject "
            + subject
            + " is missing, though the subject was not erased; a bundle is given only keys of"
            + " contexts that it has the right 'personal' for");
  }
}
