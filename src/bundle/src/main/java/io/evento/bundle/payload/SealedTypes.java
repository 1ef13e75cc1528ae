package io.evento.bundle.payload;

import io.evento.bundle.api.InvalidBundleException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Sealed interfaces taken apart into the records that they permit. */
public final class SealedTypes {
  private SealedTypes() {}

  /**
   * The records that a value of this type can be: itself, or what it permits.
   *
   * @param where for the message, such as {@code Account.open}
   * @throws InvalidBundleException if that is not a closed set of records
   */
  public static List<Class<?>> expand(Class<?> type, String where) {
    var records = new LinkedHashSet<Class<?>>();
    collect(type, where, records);
    for (var present : records) {
      for (var former : Upcasters.formerShapes(present)) {
        if (records.contains(former)) {
          throw new InvalidBundleException(
              former.getSimpleName()
                  + " is a former version of "
                  + present.getSimpleName()
                  + ", but "
                  + type.getSimpleName()
                  + " permits it: a sealed interface holds present versions only; take it out");
        }
      }
    }
    return List.copyOf(records);
  }

  private static void collect(Class<?> type, String where, Set<Class<?>> into) {
    if (type.isRecord()) {
      into.add(type);
    } else if (type.isSealed()) {
      for (var permitted : type.getPermittedSubclasses()) {
        collect(permitted, where, into);
      }
    } else {
      throw new InvalidBundleException(
          where
              + " names "
              + type.getName()
              + ": it must be a record, or a sealed interface that permits records"
              + Kotlin.hint(type));
    }
  }
}
