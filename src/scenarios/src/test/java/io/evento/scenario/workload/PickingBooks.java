package io.evento.scenario.workload;

import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What the database holds about baskets of a run. */
public final class PickingBooks {

  private static final String LINES =
      "select count(*)::text from evento.event where starts_with(stream_id, 'Basket:' || ?)";

  private static final String WRONG =
      """
      with line as (
        select payload::json->>'basketId' as basket, payload::json->>'line' as number
          from evento.event where starts_with(stream_id, 'Basket:' || ?)),
      wanted as (
        select 'Job:' || work || '-' || basket || '-' || number as job
          from line, (values ('pick'), ('pack')) works(work)
        union select 'Job:label-' || basket from line),
      done as (
        select stream_id as job, count(*) as times from evento.event
         where starts_with(stream_id, 'Job:') and strpos(stream_id, ?) > 0 group by stream_id)
      select job || ' was done ' || coalesce(times, 0) || ' times'
             || case when wanted.job is null then ', and nobody wanted it' else '' end
        from wanted full join done using (job)
       where wanted.job is null or times is distinct from 1 order by 1
      """;

  private static final String STATES =
      """
      select key || ' stands at ' || (state::json->>'lines') || ', not at ' || added.lines
        from evento.saga_state
        join (select stream_id, count(*) as lines from evento.event
               where starts_with(stream_id, 'Basket:' || ?) group by stream_id) added
          on added.stream_id = 'Basket:' || key
       where name = 'picking' and version = ?::int
         and (state::json->>'lines')::int <> added.lines
      """;

  private static final String HELD =
      """
      select version::text from evento.consumer_segment
       where name = 'picking' and held_until > clock_timestamp()
      """;

  private final Cluster cluster;
  private final String run;

  public PickingBooks(Cluster cluster, String run) {
    this.cluster = cluster;
    this.run = run;
  }

  /** How many lines were added. */
  public int lines() {
    return Integer.parseInt(select(LINES, run).get(0));
  }

  /**
   * Jobs that are missing, that were done twice, or that no line is to blame for; empty is good.
   */
  public List<String> wrongJobs() {
    return select(WRONG, run, run);
  }

  /** Baskets of which a version has counted other lines than there are; empty is good. */
  public List<String> wrongStates(int version) {
    return select(STATES, run, Integer.toString(version));
  }

  /** Whether the versions are about to change places. */
  public boolean isSwitching() {
    return !select(HELD).isEmpty();
  }

  private List<String> select(String sql, String... parameters) {
    try (var connection = cluster.postgres().administrator();
        var select = connection.prepareStatement(sql)) {
      for (var i = 0; i < parameters.length; i++) {
        select.setString(i + 1, parameters[i]);
      }
      var rows = select.executeQuery();
      var found = new ArrayList<String>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot read the books", failure);
    }
  }
}
