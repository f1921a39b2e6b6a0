/** What is collected for a look at a problem, written to a folder or an archive. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.support;
