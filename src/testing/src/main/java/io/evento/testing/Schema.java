package io.evento.testing;

import java.sql.SQLException;

/** Makes the tables of a new database; found as a service on the class path of the tests. */
public interface Schema {
  /**
   * @param where it has no schema yet
   */
  void make(TestDatabase where) throws SQLException;
}
