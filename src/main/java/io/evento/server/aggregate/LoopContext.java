package io.evento.server.aggregate;

import io.evento.server.Threads;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.setting.Settings;
import java.util.concurrent.ExecutorService;

/**
 * What the decisions of a node share, be they of aggregates or of boundaries.
 *
 * @param readers threads that may block on the database
 */
record LoopContext(
    CommandHandlers commandHandlers,
    CommandOutcomes commandOutcomes,
    ExecutorService readers,
    Threads threads,
    Settings settings) {}
