/** What a tool starts with: settings of its JVM, what is loaded beside the command line, its log. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.start;
