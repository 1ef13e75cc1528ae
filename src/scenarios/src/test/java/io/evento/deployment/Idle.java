package io.evento.deployment;

import io.evento.bundle.api.Service;
import jakarta.enterprise.context.ApplicationScoped;

/** A service of nothing, for a deployment that has to fail. */
@ApplicationScoped
@Service
public class Idle {}
