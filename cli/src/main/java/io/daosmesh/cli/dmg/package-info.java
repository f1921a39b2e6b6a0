/** The administrator's tool. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.dmg;
