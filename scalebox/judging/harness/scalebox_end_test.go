// How Go's test functions ended, said by the test binary itself; see completion.c, which does the
// same for C.  The package's name is the submission's when this is compiled.
package solution

import (
	"os"
	"reflect"
	"testing"
)

const (
	scaleboxNonce   = 32
	scaleboxChannel = 5
)

// TestMain says that all tests have passed; a submission that exits leaves no record.  Where there
// are no tests, nothing has passed.
func TestMain(m *testing.M) {
	code := m.Run()
	tests := reflect.ValueOf(m).Elem().FieldByName("tests").Len()
	if code == 0 && tests > 0 {
		nonce := make([]byte, scaleboxNonce)
		if n, err := os.Stdin.Read(nonce); err == nil && n == scaleboxNonce {
			record := "{\"nonce\": \"" + string(nonce) + "\", \"state\": \"passed\"}\n"
			os.NewFile(scaleboxChannel, "channel").WriteString(record)
		}
	}
	os.Exit(code)
}
