package io.evento.server.aggregate;

import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Telemetry;
import java.util.concurrent.ExecutorService;

/**
 * What the decisions of a node share, be they of aggregates or of boundaries.
 *
 * @param readers threads that may block on the database
 * @param telemetry is told how long handlers and store took
 */
record LoopContext(
    CommandHandlers commandHandlers,
    CommandOutcomes commandOutcomes,
    ExecutorService readers,
    Threads threads,
    Settings settings,
    Telemetry telemetry,
    Catalog catalog) {}
