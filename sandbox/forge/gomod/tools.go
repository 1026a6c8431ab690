//go:build tools

// Package forge pins what the Gitea of the sandbox is built from. It holds no code.
package forge

import _ "code.gitea.io/gitea"
