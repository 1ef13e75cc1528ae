/**
 * The doors to the settings: what each node has and why, and who changed what. Decides nothing.
 *
 * <p>Start reading at {@link io.evento.server.console.setting.SettingResource}.
 */
@NullMarked
package io.evento.server.console.setting;

import org.jspecify.annotations.NullMarked;
