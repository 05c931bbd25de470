package metrics

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestTheFirstPageLeadsToTheMetricsAndThereIsNoOther(t *testing.T) {
	t.Parallel()
	s := serve(t, newRing(t, 1), full())
	if code, body := get(t, s, "/"); code != http.StatusOK || !strings.Contains(body, `href="metrics"`) {
		t.Errorf("%d: %s", code, body)
	}
	for _, page := range []string{"/x", "/metrics/x", "/debug/pprof/", "/debug/vars"} {
		if code, _ := get(t, s, page); code != http.StatusNotFound {
			t.Errorf("%s: %d", page, code)
		}
	}
	r, err := http.Post("http://"+s.Addr()+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestServeNamesTheAddressThatItCannotHaveAndWhatToDo(t *testing.T) {
	t.Parallel()
	taken := serve(t, newRing(t, 1), full()).Addr()
	for addr, want := range map[string]string{
		taken:             "address already in use",
		"9464":            "address 9464: missing port in address",
		"localhost:none":  "unknown port",
		"192.0.2.1:9464":  "cannot assign requested address",
		"localhost:1\x1b": "",
	} {
		s, err := Serve(addr, "", full(), discard())
		if err == nil {
			s.Close(context.Background())
			t.Errorf("%q is served", addr)
			continue
		}
		text := err.Error()
		if !strings.HasPrefix(text, "metrics at \"") || !strings.Contains(text, want) || strings.Contains(text, "listen tcp") || !strings.HasSuffix(text, "; name a HOST:PORT of this machine that is free, such as localhost:9464") {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestTheAddressIsFreeAfterClose(t *testing.T) {
	t.Parallel()
	s, err := Serve("localhost:0", newRing(t, 1), full(), discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	default:
		t.Error("Close leaves a goroutine")
	}
	again, err := Serve(s.Addr(), newRing(t, 1), full(), discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
